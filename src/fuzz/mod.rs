//! Inputs that nobody thought of: every reader takes any text, and what it makes of it keeps its promises.
//!
//! A test here is a target. As a plain test it gets some hundred random inputs; `scripts/fuzz` makes it millions, each bred from those that
//! reached new code. What fails is shrunk and printed: it becomes a test beside the code that it is about.

mod compose;
mod configuration;
mod features;
mod grammar;
mod jsonc;
mod merge;
mod names;
mod run_args;
