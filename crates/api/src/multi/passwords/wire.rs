//! What is answered when a password was set.

use serde::Serialize;
use service::multi::PasswordSet;
use utoipa::ToSchema;

use crate::multi::people::IdentityIdBody;

/// A password was set.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasswordResponse)]
pub struct PasswordSetBody {
    password_info: PasswordInfoBody,
    /// The user's token, if the user may log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// Whose password, and how long it lasts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PasswordInfo)]
pub struct PasswordInfoBody {
    identity_id: IdentityIdBody,
    /// 0: it does not expire.
    #[schema(minimum = 0)]
    expiry_date: i64,
}

impl PasswordSetBody {
    /// The answer, with the token that the user goes on with.
    pub(in crate::multi) fn new(set: &PasswordSet, token: Option<String>) -> PasswordSetBody {
        PasswordSetBody {
            password_info: PasswordInfoBody {
                identity_id: IdentityIdBody::new(set.identity, set.owner.raw()),
                expiry_date: 0,
            },
            token,
        }
    }
}
