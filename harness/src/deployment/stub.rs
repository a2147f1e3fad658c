//! An answer that a deployment gives to a request itself: [`Stub`].

use std::collections::BTreeMap;

use proxyproof_mocks::upstream::Stubbed;
use serde::Serialize;

use crate::kind::EndpointRequest;

/// What an upstream answers to one request, whatever its kind would; scenarios that script a request of their own go before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stub {
    /// The request, as the upstream knows the path; a query is not compared.
    pub request: EndpointRequest,
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// Fields by name.
    pub fields: BTreeMap<String, String>,
}

impl Stub {
    /// The same for a mock.
    pub(crate) fn stubbed(&self) -> Stubbed {
        let fields = self.fields.iter();
        let fields = fields.map(|(name, value)| (name.clone(), value.clone()));
        Stubbed {
            method: self.request.method.to_owned(),
            path: self
                .request
                .path
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned(),
            status: self.status,
            fields: fields.collect(),
            body: self.body.clone(),
        }
    }
}
