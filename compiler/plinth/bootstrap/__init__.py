"""An environment's first hour and its last: which steps, in which order, by which commands.

All of it is a function of what is compiled. Nothing here starts a program: the steps can be printed for a
person who runs them one by one, or carried out.
"""
