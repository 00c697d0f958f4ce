//! Makes a recording of a machine: every answer that the probes got, for replay by [`super::recorded::Recorded`].
