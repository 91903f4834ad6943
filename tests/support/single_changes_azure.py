ROWS = ()
CHANGES = {}
