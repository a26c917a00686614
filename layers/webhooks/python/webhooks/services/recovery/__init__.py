"""From a task of the recovery queue to packs in the slow lane: pages of replays, probes, and their ends."""
