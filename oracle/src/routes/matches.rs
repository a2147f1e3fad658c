use serde::Serialize;

use super::config::Config;
use crate::location::{Answer, Request};
use crate::printable::Printable;

/// What happens to one target.
#[derive(Clone, Debug, Serialize)]
pub struct MatchRow {
    /// The target as sent; bytes that are not printable ASCII as `\xNN`.
    pub target: String,
    /// The status, 200 where an upstream answers; `None` where it is not modelled.
    pub status: Option<u16>,
    /// The upstream's name as configured, `-` for NGINX itself.
    pub owner: String,
    /// The target the upstream receives.
    pub upstream_target: Option<String>,
    /// The location that answers, as written.
    pub location: Option<String>,
    /// `file:line` of that location.
    pub place: Option<String>,
    /// Why that location, and what it beat.
    pub why: Vec<String>,
}

/// What a configuration does with a request.
pub fn match_target(config: &Config, request: &Request) -> MatchRow {
    let decision = config.site.decide(request);
    let table = decision
        .server
        .map(|(number, _)| &config.site.servers[number].table);
    let found = table.zip(decision.location);
    let location = found.map(|(table, id)| table.location(id));
    let owner = match &decision.answer {
        Answer::Proxied { upstream, .. } => upstream.clone(),
        Answer::Handled { by } => by.clone(),
        Answer::NotModelled(what) => {
            let place = what
                .place
                .map(|place| format!(" ({})", config.line(place)))
                .unwrap_or_default();
            format!("{what}{place}")
        }
        _ => "-".to_owned(),
    };
    let mut why = Vec::new();
    if let Answer::Refused(refusal) = &decision.answer {
        why.push(refusal.to_string());
    }
    for trace in table
        .into_iter()
        .flat_map(|table| decision.searches.iter().map(move |trace| (table, trace)))
    {
        why.extend(trace.1.lines(trace.0));
    }
    for (gate, place) in &decision.gates {
        why.push(format!(
            "`{gate}` may refuse it first ({})",
            config.line(*place)
        ));
    }
    MatchRow {
        target: Printable(&request.target).to_string(),
        status: decision.answer.status(),
        owner,
        upstream_target: match &decision.answer {
            Answer::Proxied { target, .. } => Some(Printable(target).to_string()),
            _ => None,
        },
        location: location.map(|location| location.notation.to_string()),
        place: location
            .and_then(|location| location.place)
            .map(|place| config.line(place)),
        why,
    }
}

impl MatchRow {
    /// `target status owner upstream_target location`, with tabs between.
    pub fn tsv(&self) -> String {
        let dash = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "-".into());
        let status = self
            .status
            .map_or_else(|| "?".into(), |status| status.to_string());
        let cells = [
            self.target.clone(),
            status,
            self.owner.clone(),
            dash(&self.upstream_target),
            dash(&self.location),
        ];
        cells.join("\t")
    }

    /// The same for people, with the reasons.
    pub fn text(&self) -> String {
        let status = self
            .status
            .map_or_else(|| "?".into(), |status| status.to_string());
        let mut text = format!("{}  {status}  {}", self.target, self.owner);
        if let Some(target) = self
            .upstream_target
            .as_ref()
            .filter(|target| **target != self.target)
        {
            text.push_str(&format!(" as {target}"));
        }
        if let Some(place) = &self.place {
            text.push_str(&format!("  {place}"));
        }
        for why in &self.why {
            text.push_str(&format!("\n  {why}"));
        }
        text.push('\n');
        text
    }

    /// JSON, one object on one line.
    pub fn json(&self) -> String {
        super::report::json_line(self)
    }
}
