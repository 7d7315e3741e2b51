//! The users and groups of `/etc/passwd` and `/etc/group`.
use std::fs;

/// What the two files say; a user of a directory service is not among them and keeps its number.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Accounts {
    users: Vec<User>,
    groups: Vec<Group>,
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
    /// Those of this system; none when the files cannot be read.
    #[must_use]
    pub fn of_system() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self::parse(&read("/etc/passwd"), &read("/etc/group"))
    }

    /// Those of these two texts; lines that are not entries are passed over.
    #[must_use]
    pub fn parse(passwd: &str, group: &str) -> Self {
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
        Self { users: users.collect(), groups: groups.collect() }
    }

    /// The user's name, or its number when it has none.
    #[must_use]
    pub fn name_of(&self, user: u32) -> String {
        self.users
            .iter()
            .find(|entry| entry.number == user)
            .map_or_else(|| user.to_string(), |entry| entry.name.clone())
    }

    /// The user's number.
    #[must_use]
    pub fn number_of(&self, name: &str) -> Option<u32> {
        self.users.iter().find(|entry| entry.name == name).map(|entry| entry.number)
    }

    /// The group's number.
    #[must_use]
    pub fn group_of(&self, name: &str) -> Option<u32> {
        self.groups.iter().find(|entry| entry.name == name).map(|entry| entry.number)
    }

    /// The group of the user's own name that nobody else is in, as many systems give every user one.
    #[must_use]
    pub fn private_group_of(&self, user: u32) -> Option<u32> {
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
        assert_eq!(accounts.number_of("bob"), Some(1001));
        assert_eq!(accounts.number_of("mallory"), None);
        assert_eq!((accounts.group_of("users"), accounts.group_of("bob")), (Some(100), None));
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
