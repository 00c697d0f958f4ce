//! Changes to findings and a verdict, by the rules.
