//! Bodies of webhooks: each format is its dialect's.

use ledger::TenantId;
use serde_json::json;
use service::events::Event;
use service::webhooks::{Format, Render, Rendered, Wanted};
use store::Place;

use crate::admin::events::{EventBody, Form, event_id};
use crate::{multi, sequence, time};

/// The bodies of all formats.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bodies;

impl Render for Bodies {
    fn render(&self, event: &Event, wanted: &Wanted) -> Option<Rendered> {
        match wanted.format {
            Format::Standard => {
                let form = if wanted.is_full {
                    Form::Full
                } else {
                    Form::Thin
                };
                let body = serde_json::to_string(&EventBody::new(event, form));
                Some(Rendered {
                    path: "",
                    body: body.expect("wire types have string keys only"),
                })
            }
            Format::Sequence => Some(Rendered {
                path: "",
                body: sequence::webhook::body(event, wanted.is_full)?,
            }),
            Format::Multi => multi::webhook::body(event, wanted),
        }
    }

    fn test(&self, tenant: TenantId, wanted: &Wanted) -> Rendered {
        let now = time::render(wanted.published);
        let (path, body) = match wanted.format {
            Format::Standard => (
                "",
                json!({"id": self.delivery_id(tenant, Place::START), "type": "webhook.test",
                       "created_at": now, "data": {}}),
            ),
            Format::Sequence => (
                "",
                json!({"event": "webhook.test", "created_at": now, "data": {}}),
            ),
            Format::Multi => (
                "/test/watch",
                json!({"publishedTimestamp": wanted.published.0.to_string()}),
            ),
        };
        Rendered {
            path,
            body: body.to_string(),
        }
    }

    fn delivery_id(&self, tenant: TenantId, event: Place) -> String {
        let tenant = service::spelling::id_text(tenant.raw());
        let tenant = tenant.iter().map(|byte| char::from(*byte));
        let mut id = event_id(event).replacen("evt_", "msg_", 1);
        id.extend(tenant);
        id
    }
}
