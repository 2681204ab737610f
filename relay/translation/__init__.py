"""From a delivery to commands: the mapping language and the rules. Pure but for loading mapping files."""
