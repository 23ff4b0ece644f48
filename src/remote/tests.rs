//! Arguments made of ours, and what is taken from an answer.
