//! From an answer and columns to text. Pure: no I/O, no clock, no environment.
