"""What a session host keeps, and finds around itself: settings, state, PAM, sessions, certificates."""
