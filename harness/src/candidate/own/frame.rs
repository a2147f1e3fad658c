//! What the main file of a server usually has that a fragment refers to.

use super::OwnConfiguration;

impl OwnConfiguration {
    /// Maps of variables that the fragment uses and nobody defines, as NGINX's documentation has them.
    pub(super) fn frame(&self) -> String {
        let lacking = USUAL_MAPS
            .iter()
            .filter(|(name, _)| self.lacks_variable(name));
        lacking.map(|(_, map)| *map).collect()
    }

    /// What the copy does without, and what it has besides, a sentence each.
    #[must_use]
    pub fn left_out_of_the_copy(&self) -> Vec<String> {
        let missing = self.missing.iter().map(|missing| {
            let (written, place) = (&missing.written, &missing.place);
            format!("left out: include {written} ({place}), which is not there")
        });
        let is_fragment = !self.has(b"http");
        let lacking = USUAL_MAPS.iter().filter(|_| is_fragment);
        let assumed = lacking
            .filter(|(name, _)| self.lacks_variable(name))
            .map(|(name, _)| {
                format!("assumed: the usual map for ${name}, which the file does not define")
            });
        let gates = GATES.iter().filter(|gate| self.has(gate.as_bytes()));
        let gates = gates.map(|gate| format!("left out: {gate}, since no probe can satisfy it"));
        missing.chain(assumed).chain(gates).collect()
    }

    fn lacks_variable(&self, name: &str) -> bool {
        let (mut used, mut defined) = (false, false);
        let variable = format!("${name}");
        self.walk(&mut |_, _, directive| {
            let gives = ["map", "set", "geo"]
                .iter()
                .any(|giver| directive.is(giver));
            for word in directive.arguments() {
                match gives && *word.text() == variable {
                    true => defined = true,
                    false => used |= word.text().contains(&variable),
                }
            }
        });
        used && !defined
    }
}

/// Variables that copies use without their maps, and the maps.
const USUAL_MAPS: [(&str, &str); 1] = [(
    "connection_upgrade",
    "map $http_upgrade $connection_upgrade { default upgrade; '' close; }\n",
)];

/// Directives that let some clients in alone.
const GATES: [&str; 4] = ["auth_basic", "auth_request", "auth_jwt", "allow"];
