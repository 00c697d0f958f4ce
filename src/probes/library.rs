//! What the probes of Python libraries with native code share: finding the distribution and its shared objects.
