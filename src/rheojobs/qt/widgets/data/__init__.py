"""The list of opened data, what was understood of them, and the dialog that corrects it.

Nothing is read here: the widgets emit what the user wants.
"""
