//! What stands around the candidate: upstream mocks, the tunnel front, faults, and the ledger of arrivals.
