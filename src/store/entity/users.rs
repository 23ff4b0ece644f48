//! Table `users`; its columns are explained where the migration makes them.
#![allow(missing_docs, reason = "columns are documented in the migration")]

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub upstream_issuer: String,
    pub upstream_subject: String,
    pub profile_sealed: Vec<u8>,
    pub email_domain: Option<String>,
    pub created_at: i64,
    pub last_login_at: i64,
    pub email_hash: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
