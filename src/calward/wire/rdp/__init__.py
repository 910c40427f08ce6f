"""As much of RDP, [MS-RDPBCGR], as a licensing relay needs: frames, negotiation, channels, security headers."""
