"""How programs speak to each other: HTTP served and asked, certificates, a probe of the licensing protocol."""
