"""What several experiments have in common; no command is here."""
