//! Who used what: people's feedback and what their address says of their organization.
//!
//! Never here: tokens.

pub mod feedback;
pub mod scrub;
pub mod work_email;
