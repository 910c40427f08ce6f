"""The licensing protocol, [MS-RDPELE]: one file a message, the keys, and both sides of a licensing session."""
