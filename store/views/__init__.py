"""One file per read model: its writer and its reader, side by side."""
