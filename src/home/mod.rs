//! The home of the CAs: its paths, the owners and modes of its files, and the locks of the processes that use
//! it.
//!
//! [`Home::create`] sets the modes whatever the umask is, and [`Home::findings`] reports files with more
//! permissions. `~` stands for the home. In the [system's](Home::system) it is `/var/lib/genfic-ca`, and the
//! configuration is in `/etc/genfic-ca`. The owner is the user who runs `genfic-ca`. Root may own the
//! configuration and the directories above the home.
//!
//! | path | mode | why |
//! |---|---|---|
//! | directories above `~` | not writable by others (except the group that has only the user), or sticky; symbolic links to it belong to the user or root | whoever can rename there, or change a link, can replace the home |
//! | `~` | 0711 | the daemon and the web server pass through, nobody lists it |
//! | `~/genfic-ca.toml`, `~/policy/`, `~/policy/*.toml` | 0644, 0755 | they have no secrets; only the owner changes policy |
//! | `~/index.db` with its `-wal` and `-shm` | 0600 | names and mail addresses of subscribers |
//! | `~/index.db-signing`, `~/home.lock` | 0600 | locked by processes that sign, and by processes that publish |
//! | `~/reserve` | 0600 | no contents; [space](ReserveFile) that revocations may use on a full disk |
//! | `~/keys/`, `~/keys/NAME.age`, `~/keys/NAME.mark` | 0700, 0600 | K1; the highest CRL number taken |
//! | `~/requests/`, `~/requests/NAME.waiting` | 0700, 0600 | CAs with a pending request |
//! | `~/issued/`, `~/issued/NAME/` | 0700 | names of subscribers |
//! | `~/status/` | 2750 | for the daemon's group, which new files get from the directory |
//! | `~/ocsp/`, `~/ocsp/NAME/` | 2750 | the same |
//! | `~/ocsp/NAME/responder.key` | 0640 | the one key that the daemon reads |
//! | `~/public/` | 0755 | files that anyone may fetch |
//!
//! Directories and files for the daemon's group have 2700 and 0600 when the group is neither `genfic-ocsp` nor
//! a group with no other member than the user ([`Accounts::is_confined`]).
mod access;
mod accounts;
mod actor;
mod aside;
mod atomic;
mod authority_name;
mod check;
mod create;
mod former;
mod given;
mod group;
mod layout;
mod named_file;
mod names;
mod open;
mod overwrite;
mod places;
mod reach;
mod reserve;
mod status_file;
mod survey;
mod trail;
mod turn;
mod unnamed;
mod without_modes;

pub(crate) use access::{AccessCause, AccessRule, FileStatus, Owners};
pub use access::{AccessFinding, FileKind, quoted};
pub(crate) use accounts::Accounts;
pub(crate) use actor::current_actor;
pub(crate) use aside::{ASIDE, Writing, remove_left};
pub(crate) use atomic::Aside;
pub(crate) use atomic::replace_alone;
pub use atomic::{Mode, WriteError, replace, sync_directory, write_new};
pub use authority_name::AuthorityName;
pub(crate) use authority_name::InvalidAuthorityName;
pub(crate) use given::GivenError;
pub(crate) use group::put_all;
pub(crate) use group::replace_soon;
pub use group::{Replacement, replace_all};
pub use layout::{Home, PublicFile};
pub use named_file::{verify_named, verify_replaced};
pub(crate) use open::{OpenError, open_checked, open_file};
pub use open::{ReadError, open_regular, read_file, read_most};
pub(crate) use overwrite::{Former, remove_overwritten};
pub use places::{unsafe_way, verify_medium, verify_policy, verify_signer, verify_tokens};
pub use reach::is_of_another_user;
pub(crate) use reserve::{GivenBack, ReserveFile};
pub(crate) use status_file::status_file_change;
pub use turn::Turn;
pub use unnamed::{Existing, write_whole};
pub use without_modes::mended_there;
pub use without_modes::{has_no_modes, verify_given};
