//! The whole way from files to answers.

mod corpus;
