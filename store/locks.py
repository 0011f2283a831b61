"""The advisory locks of the whole system, side by side so that no two are the same number."""

MIGRATION = 7464  # migrations/env.py: one migrator at a time
APPEND = 7465  # append_events: position order is commit order
RELAY = 7466  # one relay writes the checkpoint
PROJECTOR = 7467  # one projector writes the views
SEALER = 7470  # one sealer signs
IMPORT = 7471  # one import at a time
