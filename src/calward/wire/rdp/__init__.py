"""As much of RDP, [MS-RDPBCGR], as a licensing relay needs: frames, negotiation, channels, security headers.

What is called a packet here is whole: from its TPKT header on, as it was read from the stream. `decode` takes one, `encode`
and `make` give one, and the offsets in errors count from its first byte. Only what travels inside (GCC blocks, security
headers, Client Info, Set Error Info) is taken and given by itself.
"""
