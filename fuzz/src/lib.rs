//! What the fuzz targets share: the code under test, and a second, slow telling of some of it.
//!
//! The code is taken as files and not as the crate, so that targets build in minutes and every
//! branch that the fuzzer sees is one of ours. The rooms have their own names, because the files
//! name each other by them; of a room stands here what targets call, and what that calls.

#[path = "../../src/clock.rs"]
pub mod clock;
#[path = "../../src/id.rs"]
pub mod id;
#[path = "../../src/keys.rs"]
pub mod keys;
#[path = "../../src/loopback.rs"]
pub mod loopback;
#[path = "../../src/private_jwk.rs"]
pub mod private_jwk;
#[path = "../../src/secret.rs"]
pub mod secret;
#[path = "../../src/server_secret.rs"]
pub mod server_secret;

#[path = "../../src/domain"]
#[allow(missing_docs)]
pub mod domain {
    pub mod access_token;
    pub mod authorization_request;
    pub mod claimed_name;
    pub mod client;
    pub mod client_claim;
    pub mod metadata_document;
    pub mod pkce;
    pub mod redirect_uri;
    pub mod refusal;
    pub mod resource;
    pub mod return_to;
    pub mod scope;
    pub mod token_request;
    pub mod upstream_login;
}

#[path = "../../src/upstream"]
#[allow(missing_docs)]
pub mod upstream {
    pub mod id_token;
}

#[path = "../../src/clients"]
#[allow(missing_docs)]
pub mod clients {
    pub mod document_body;
    pub mod registration;
}

#[path = "../../src/text"]
#[allow(missing_docs)]
pub mod text {
    pub mod cut;

    /// Stands for the index, whose library takes longer to build than all targets, and which none
    /// of them searches.
    pub mod index {
        use std::fmt;

        /// Named by the errors of the readers.
        #[derive(Debug)]
        pub struct IndexError;

        impl fmt::Display for IndexError {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the index")
            }
        }

        impl std::error::Error for IndexError {}
    }
}

#[path = "../../src/docs"]
#[allow(missing_docs)]
pub mod docs {
    mod anchor;
    pub mod asciidoc;
    pub mod document;
    pub mod error;
    pub mod html;
    pub mod markdown;
}

#[path = "../../src/reference"]
#[allow(missing_docs)]
pub mod reference {
    pub mod error;
    pub mod files;
    pub mod node;
    pub mod page;
    pub mod parse;
    pub mod render;
    pub mod shelf;
    pub mod spec;
    mod swagger;
}

#[path = "../../src/mcp"]
#[allow(missing_docs)]
pub mod mcp {
    pub mod caller;
    pub mod envelope;
    pub mod refusal;
    pub mod reply;
    pub mod transport;
    pub mod usage;
}

#[path = "../../src/flow"]
#[allow(missing_docs)]
pub mod flow {
    pub mod access_jwt;
}

/// Of the room `http`, which has the name of a library here.
#[path = "../../src/http"]
pub mod door {
    pub mod credential;
}

/// Of the package `api`.
#[path = "../../api/src"]
pub mod api {
    pub mod fields;
}

pub mod page;
pub mod retelling;
pub mod signed;
