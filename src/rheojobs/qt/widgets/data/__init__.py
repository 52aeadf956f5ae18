"""The list of opened data, what was understood of them, and the dialog that corrects it.

The widgets read no files: they emit signals for the user's requests.
"""
