//! The users and groups of `/etc/passwd` and `/etc/group`.
use super::layout::DAEMON_GROUP;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;

/// The contents of the two files. They have no users of a directory service, who are shown by number.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Accounts {
    users: Vec<User>,
    groups: Vec<Group>,
    /// User and group of this process, which the files may not have.
    acting: Option<(u32, u32)>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct User {
    name: String,
    number: u32,
    group: u32,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Group {
    name: String,
    number: u32,
    members: Vec<String>,
}

impl Accounts {
    /// Reads the files of this system. A file that cannot be read counts as empty.
    #[must_use]
    pub(crate) fn of_system() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let acting = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Self { acting: Some(acting), ..Self::parse(&read("/etc/passwd"), &read("/etc/group")) }
    }

    /// Parses two texts. Lines that are not entries are skipped.
    #[must_use]
    pub(crate) fn parse(passwd: &str, group: &str) -> Self {
        let users = passwd.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
            let number = fields.nth(1)?.parse().ok()?;
            Some(User { name, number, group: fields.next()?.parse().ok()? })
        });
        let groups = group.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
            let number = fields.nth(1)?.parse().ok()?;
            let members = fields.next().unwrap_or_default().split(',');
            let members = members.filter(|member| !member.is_empty()).map(str::to_owned).collect();
            Some(Group { name, number, members })
        });
        Self { users: users.collect(), groups: groups.collect(), acting: None }
    }

    /// Returns the user's name, or the number when there is none.
    #[must_use]
    pub(crate) fn name_of(&self, user: u32) -> String {
        self.users
            .iter()
            .find(|entry| entry.number == user)
            .map_or_else(|| user.to_string(), |entry| entry.name.clone())
    }

    /// Returns the numbers of a user and of its primary group.
    #[must_use]
    pub(crate) fn ids_of(&self, user: &str) -> Option<(u32, u32)> {
        self.users.iter().find(|entry| entry.name == user).map(|entry| (entry.number, entry.group))
    }

    /// Returns the group's number.
    #[must_use]
    pub(crate) fn group_of(&self, name: &str) -> Option<u32> {
        self.groups.iter().find(|entry| entry.name == name).map(|entry| entry.number)
    }

    /// Returns whether a group may read what the daemon reads: the daemon's own group, or a group with no other
    /// member than this user. The user's primary group counts only when it has the user's name, because a
    /// directory service may give all users one primary group that the files do not list.
    #[must_use]
    pub(crate) fn is_confined(&self, group: u32, user: u32) -> bool {
        if self.group_of(DAEMON_GROUP) == Some(group) || self.private_group_of(user) == Some(group) {
            return true;
        }
        let is_primary = self.acting == Some((user, group))
            || self.users.iter().any(|entry| entry.number == user && entry.group == group);
        let has_others = self.users.iter().any(|entry| entry.group == group && entry.number != user)
            || self.groups.iter().any(|entry| {
                let name = self.name_of(user);
                entry.number == group && entry.members.iter().any(|member| *member != name)
            });
        !is_primary && !has_others
    }

    /// Returns the mode that a file or directory of this owner and group should have. Bits for a group with
    /// other members are removed, unless the mode gives everybody access.
    #[must_use]
    pub(crate) fn confined_mode(&self, mode: u32, owned: &Metadata) -> u32 {
        let is_for_all = mode & 0o007 != 0;
        if is_for_all || self.is_confined(owned.gid(), owned.uid()) { mode } else { mode & !0o070 }
    }

    /// Returns the name of a group, or the number when there is none.
    #[must_use]
    pub(crate) fn name_of_group(&self, group: u32) -> String {
        let entry = self.groups.iter().find(|entry| entry.number == group);
        entry.map_or_else(|| group.to_string(), |entry| entry.name.clone())
    }

    /// Returns the group of the user's own name without other members, which many systems create for every
    /// user.
    #[must_use]
    pub(crate) fn private_group_of(&self, user: u32) -> Option<u32> {
        let owner = self.users.iter().find(|entry| entry.number == user)?;
        let group = self.groups.iter().find(|group| group.number == owner.group)?;
        let alone = group.members.iter().all(|member| *member == owner.name)
            && self.users.iter().all(|entry| entry.group != owner.group || entry.number == user);
        (group.name == owner.name && alone).then_some(group.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
        alice:x:1000:1000::/home/alice:/bin/sh\n\
        bob:x:1001:100::/home/bob:/bin/sh\n\
        carol:x:1002:1002::/home/carol:/bin/sh\n\
        dave:x:1003:1003:::\n\
        eve:x:1004:1003:::\n\
        broken line\n";
    const GROUP: &str = "root:x:0:\nalice:x:1000:\nusers:x:100:bob\ncarol:x:1002:carol,bob\ndave:x:1003:\n";

    #[test]
    fn users_have_names_and_the_unknown_keep_their_number() {
        let accounts = Accounts::parse(PASSWD, GROUP);
        assert_eq!(accounts.name_of(1000), "alice");
        assert_eq!(accounts.name_of(4242), "4242");
        assert_eq!((accounts.group_of("users"), accounts.group_of("bob")), (Some(100), None));
    }

    #[test]
    fn what_the_daemon_reads_is_for_its_group_and_for_private_ones() {
        // K1
        let accounts = Accounts::parse(PASSWD, &format!("{GROUP}genfic-ocsp:x:990:www\n"));
        for (group, user, confined) in [
            (990, 1001, true),
            (1000, 1000, true),
            (1000, 1001, false),
            (100, 1001, false),
            (1002, 1002, false),
            (64987, 1000, true),
        ] {
            assert_eq!(accounts.is_confined(group, user), confined, "{group} {user}");
        }
        let unknown = Accounts { acting: Some((4242, 4343)), ..accounts.clone() };
        assert!(!unknown.is_confined(4343, 4242), "its own, and nobody knows who else's");
        assert!(unknown.is_confined(64987, 4242), "one that the administrator chose for it");
        assert_eq!((accounts.name_of_group(100), accounts.name_of_group(7)), ("users".into(), "7".into()));
    }

    #[test]
    fn a_group_is_private_only_when_nobody_else_is_in_it() {
        let accounts = Accounts::parse(PASSWD, GROUP);
        assert_eq!(accounts.private_group_of(1000), Some(1000));
        assert_eq!(accounts.private_group_of(1001), None, "a shared group");
        assert_eq!(accounts.private_group_of(1002), None, "bob is a member");
        assert_eq!(accounts.private_group_of(1003), None, "it is eve's too");
    }
}
