"""The parts of Knative that stand between our processes, as small stand-ins, and its manifests."""
