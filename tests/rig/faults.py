"""What may be wrong with a machine, in words that say what to do."""


class RigFault(Exception):
    """The rig cannot be built or started; the message is for the person who asked for it."""
