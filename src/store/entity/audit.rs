//! Table `audit`; its columns are explained where the migration makes them.
#![allow(missing_docs, reason = "columns are documented in the migration")]

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub happened_at: i64,
    pub kind: String,
    pub actor: String,
    pub actor_user_id: Option<Uuid>,
    pub actor_name: Option<String>,
    pub user_id: Option<Uuid>,
    pub client_id: Option<String>,
    pub grant_id: Option<Uuid>,
    pub reason: Option<String>,
    pub reference: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
