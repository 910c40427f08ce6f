"""Commands that answer questions about an estate."""
