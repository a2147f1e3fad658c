use super::table::LocationId;

/// The exact and prefix locations of one level, sorted by name.
///
/// NGINX builds a tree of them (`ngx_http_create_locations_tree`); what it finds is the same: the location of exactly
/// this name, else the one whose name is this path with a slash and that redirects there, else the longest prefix.
#[derive(Clone, Debug, Default)]
pub(crate) struct StaticIndex {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    name: Box<[u8]>,
    exact: Option<LocationId>,
    inclusive: Option<LocationId>,
    slash_redirect: bool,
    /// The longest name before this one that is a prefix of it and of a prefix location.
    shorter: Option<u32>,
}

/// One location to put into an index.
pub(crate) struct Entrance<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) id: LocationId,
    pub(crate) kind: EntranceKind,
    pub(crate) slash_redirect: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EntranceKind {
    Exact,
    Prefix,
}

/// What `ngx_http_core_find_static_location` finds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StaticMatch {
    /// `=` of this name.
    Exact(LocationId),
    /// The longest prefix.
    Prefix(LocationId),
    /// A location whose name is the path with a slash.
    Redirect(LocationId),
    /// Nothing.
    None,
}

impl StaticIndex {
    /// Builds the index; of two locations with one name and kind the later one is returned instead.
    pub(crate) fn build(mut entrances: Vec<Entrance<'_>>) -> Result<Self, Vec<LocationId>> {
        entrances.sort_by(|left, right| left.name.cmp(right.name));
        let mut entries: Vec<Entry> = Vec::with_capacity(entrances.len());
        let mut duplicates = Vec::new();
        for entrance in entrances {
            if entries
                .last()
                .is_none_or(|entry| *entry.name != *entrance.name)
            {
                let shorter = shorter_prefix(&entries, entrance.name);
                entries.push(Entry {
                    name: entrance.name.into(),
                    exact: None,
                    inclusive: None,
                    slash_redirect: false,
                    shorter,
                });
            }
            let entry = entries.last_mut().expect("one was pushed");
            let place = match entrance.kind {
                EntranceKind::Exact => &mut entry.exact,
                EntranceKind::Prefix => &mut entry.inclusive,
            };
            duplicates.extend(place.is_some().then_some(entrance.id));
            *place = Some(entrance.id);
            entry.slash_redirect |= entrance.slash_redirect;
        }
        match duplicates.is_empty() {
            true => Ok(Self { entries }),
            false => Err(duplicates),
        }
    }

    pub(crate) fn find(&self, path: &[u8]) -> StaticMatch {
        let after = self.entries.partition_point(|entry| *entry.name <= *path);
        if let Some(entry) = after.checked_sub(1).map(|at| &self.entries[at])
            && *entry.name == *path
        {
            return match (entry.exact, entry.inclusive) {
                (Some(id), _) => StaticMatch::Exact(id),
                (None, Some(id)) => StaticMatch::Prefix(id),
                (None, None) => StaticMatch::None,
            };
        }
        if let Some(id) = self.slash_redirect(path) {
            return StaticMatch::Redirect(id);
        }
        self.prefixes_from(after, path)
            .next()
            .map_or(StaticMatch::None, StaticMatch::Prefix)
    }

    /// What is found for every path that begins with `prefix`, is longer, and begins with no longer name.
    pub(crate) fn find_beyond(&self, prefix: &[u8]) -> StaticMatch {
        let mut prefixes = self.prefixes(prefix);
        prefixes
            .next()
            .map_or(StaticMatch::None, StaticMatch::Prefix)
    }

    /// Every name, and every path that a redirect completes.
    pub(crate) fn points(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().flat_map(|entry| {
            let name: &[u8] = &entry.name;
            let slashless = entry.slash_redirect.then(|| &name[..name.len() - 1]);
            std::iter::once(name).chain(slashless)
        })
    }

    /// The location named like the path with a slash, if it redirects.
    fn slash_redirect(&self, path: &[u8]) -> Option<LocationId> {
        let with_slash = || path.iter().chain(b"/");
        let at = self
            .entries
            .partition_point(|entry| entry.name.iter().lt(with_slash()));
        let entry = self.entries.get(at)?;
        let is_it = entry.slash_redirect && entry.name.iter().eq(with_slash());
        is_it.then(|| entry.exact.or(entry.inclusive)).flatten()
    }

    /// All prefix locations of a path, longest first.
    pub(crate) fn prefixes<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = LocationId> + 'a {
        self.prefixes_from(
            self.entries.partition_point(|entry| *entry.name <= *path),
            path,
        )
    }

    fn prefixes_from<'a>(
        &'a self,
        after: usize,
        path: &'a [u8],
    ) -> impl Iterator<Item = LocationId> + 'a {
        let nearest = after.checked_sub(1);
        let longer = std::iter::successors(nearest, |at| {
            self.entries[*at].shorter.map(|shorter| shorter as usize)
        });
        longer
            .map(|at| &self.entries[at])
            .filter(|entry| path.starts_with(&entry.name))
            .filter_map(|entry| entry.inclusive)
    }
}

fn shorter_prefix(entries: &[Entry], name: &[u8]) -> Option<u32> {
    let mut at = entries.len().checked_sub(1)?;
    loop {
        let entry = &entries[at];
        if entry.inclusive.is_some() && name.starts_with(&entry.name) {
            return u32::try_from(at).ok();
        }
        at = entry.shorter? as usize;
    }
}
