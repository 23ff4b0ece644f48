//! Other spellings of our paths. The door turns them into ours before an endpoint sees them, so
//! they have no endpoints and stand in the document only.

use poem_openapi::OpenApi;
use poem_openapi::registry::{MetaApi, MetaOperation, MetaPath};

/// Another spelling of a path.
struct Alias {
    path: &'static str,
    of: &'static str,
    /// The operations there, and what they are called here.
    operations: &'static [(&'static str, &'static str)],
    description: &'static str,
}

const LEGACY: &str = "Clients of revision 2025-03-26 look here when they find no metadata. It is \
     the operation of the same summary below `/oauth/`; `legacy_paths` switches it off.";
const SLASH: &str = "Some clients append a slash to the address they were given. It is the \
     operation of the same summary at `/mcp`, and no redirect to it.";

const ALIASES: [Alias; 4] = [
    Alias {
        path: "/authorize",
        of: "/oauth/authorize",
        operations: &[("authorize", "authorize_legacy")],
        description: LEGACY,
    },
    Alias {
        path: "/token",
        of: "/oauth/token",
        operations: &[("token", "token_legacy")],
        description: LEGACY,
    },
    Alias {
        path: "/register",
        of: "/oauth/register",
        operations: &[("register", "register_legacy")],
        description: LEGACY,
    },
    Alias {
        path: "/mcp/",
        of: "/mcp",
        operations: &[
            ("mcp", "mcp_slash"),
            ("mcp_get", "mcp_slash_get"),
            ("mcp_delete", "mcp_slash_delete"),
        ],
        description: SLASH,
    },
];

/// What describes the endpoints of `T`, with the aliases behind them.
pub fn described<T: OpenApi>() -> Vec<MetaApi> {
    let paths = T::meta().into_iter().flat_map(|api| api.paths).filter_map(alias_of).collect();
    let mut all = T::meta();
    all.push(MetaApi { paths });
    all
}

fn alias_of(path: MetaPath) -> Option<MetaPath> {
    let alias = ALIASES.iter().find(|alias| alias.of == path.path)?;
    let renamed = |operation: MetaOperation| {
        let known = |(id, _): &&(_, _)| operation.operation_id == Some(*id);
        MetaOperation {
            operation_id: alias.operations.iter().find(known).map(|(_, here)| *here),
            description: Some(alias.description),
            deprecated: true,
            ..operation
        }
    };
    let operations = path.operations.into_iter().map(renamed).collect();
    Some(MetaPath { path: alias.path.to_owned(), operations })
}
