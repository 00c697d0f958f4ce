//! The process that loads NVML.
