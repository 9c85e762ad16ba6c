//! Each Git host in each way that it is run.
