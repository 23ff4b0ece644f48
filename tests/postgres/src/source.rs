//! Where the Postgres comes from.

/// Where the Postgres comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somebody named one.
    Named,
    /// One is started by testcontainers.
    Container,
    /// The programs on this machine make one.
    LocalCluster,
}

/// What is known of a Docker engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Docker {
    NotAsked,
    Answers,
    Silent,
}

/// Decides; `None` when a container is required and cannot be had.
pub fn choose(is_named: bool, is_container_required: bool, docker: Docker) -> Option<Source> {
    match (is_named, docker) {
        (true, _) => Some(Source::Named),
        (false, Docker::Answers) => Some(Source::Container),
        (false, _) if is_container_required => None,
        (false, _) => Some(Source::LocalCluster),
    }
}

#[cfg(test)]
mod tests {
    use super::Docker::{Answers, NotAsked, Silent};
    use super::Source::{Container, LocalCluster, Named};
    use super::*;

    #[test]
    fn what_is_named_goes_first_then_docker_then_this_machine() {
        for (is_named, is_required, docker, expected) in [
            (true, false, NotAsked, Some(Named)),
            (true, true, NotAsked, Some(Named)),
            (true, true, Silent, Some(Named)),
            (false, false, Answers, Some(Container)),
            (false, true, Answers, Some(Container)),
            (false, false, Silent, Some(LocalCluster)),
            (false, true, Silent, None),
        ] {
            let case = (is_named, is_required, docker);
            assert_eq!(choose(is_named, is_required, docker), expected, "{case:?}");
        }
    }
}
