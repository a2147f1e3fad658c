//! An answer to one request, in plain values.

use wiremock::{Mock, ResponseTemplate, matchers};

/// What is answered to requests of a method and path, for [`RunningUpstream::mount`](super::RunningUpstream::mount).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stubbed {
    /// The method, in capitals.
    pub method: String,
    /// The path, without a query: any query fits.
    pub path: String,
    /// The status.
    pub status: u16,
    /// Fields, in their order.
    pub fields: Vec<(String, String)>,
    /// The body; its media type is `text/plain` unless a field says otherwise.
    pub body: String,
}

impl Stubbed {
    /// The same as a stub of wiremock's.
    pub fn mock(&self) -> Mock {
        let answer = ResponseTemplate::new(self.status).set_body_string(self.body.clone());
        let fields = self.fields.iter();
        let answer = fields.fold(answer, |answer, (name, value)| {
            answer.insert_header(name.as_str(), value.as_str())
        });
        Mock::given(matchers::method(self.method.as_str()))
            .and(matchers::path(self.path.clone()))
            .respond_with(answer)
    }
}
