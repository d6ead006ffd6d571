//! `freshet topics create`, `alter` and `delete`.

use anyhow::{Result, bail};
use client::{Admin, NewTopic, NoSuchTopic, Setting, SettingSource};
use text::plural;

use super::{INTERNAL, connect, find, number, offsets, replication, sum};
use crate::cli::{AlterTopicArgs, CreateTopicArgs, DeleteTopicsArgs};
use crate::commands::confirm::confirm;

/// As a number of partitions: as many as the cluster makes by default.
const DEFAULT_PARTITIONS: i32 = -1;

/// Creates a topic, and says what it has.
pub(super) fn create(args: &CreateTopicArgs) -> Result<()> {
    let admin = connect(&args.cluster)?;
    let new = NewTopic {
        name: args.topic.clone(),
        partitions: args.partitions.unwrap_or(DEFAULT_PARTITIONS),
        configs: args.config.clone(),
    };
    let is_new = admin.create_topic(&new, args.replication_factor)?;
    if !is_new && !args.if_not_exists {
        bail!(
            "there is a topic {} already: choose another name, or change it with `freshet topics alter`",
            args.topic
        );
    }
    // A cluster of several brokers may take a moment to tell all of them.
    let words = find(&admin, &args.topic).map_or_else(
        |_| String::new(),
        |topic| {
            let partitions = plural(topic.partitions.len() as u64, "partition");
            format!(": {partitions}, replication factor {}", number(replication(&topic)))
        },
    );
    if is_new {
        say!("created {}{words}", args.topic);
    } else {
        say!("{} is there already{words}; it stays as it is", args.topic);
    }
    Ok(())
}

/// Changes settings first, all or none, and then the number of partitions.
pub(super) fn alter(args: &AlterTopicArgs) -> Result<()> {
    let admin = connect(&args.cluster)?;
    let now = find(&admin, &args.topic)?.partitions.len() as i32;
    if let Some(wanted) = args.partitions
        && wanted <= now
    {
        let has = plural(now as u64, "partition");
        if wanted == now {
            bail!("{} has {has} already: leave --partitions away", args.topic);
        }
        bail!(
            "{} has {has}, and a topic can't get fewer, since their records would be lost: create another topic \
             with {wanted}",
            args.topic
        );
    }
    if let Some((name, _)) = args.config.iter().find(|(name, _)| args.delete_config.contains(name)) {
        bail!("{name} stands behind --config and --delete-config: give it a value, or its default");
    }
    let changes: Vec<_> = (args.config.iter().map(|(name, value)| (name.clone(), Some(value.clone()))))
        .chain(args.delete_config.iter().map(|name| (name.clone(), None)))
        .collect();
    if !changes.is_empty() {
        let before = settings_of(&admin, &args.topic)?;
        // Kafka takes away in silence what it does not know.
        if let Some(name) = args.delete_config.iter().find(|name| find_setting(&before, name).is_none()) {
            bail!(
                "{} has no setting {name}: `freshet topics describe {0} --all` shows those that it has",
                args.topic
            );
        }
        admin.alter_configs(&args.topic, &changes)?;
        let after = settings_of(&admin, &args.topic)?;
        for (name, value) in &changes {
            let was = find_setting(&before, name).map_or_else(|| "–".to_owned(), words);
            let is = match value {
                Some(value) => shown(value).to_owned(),
                // The broker that is asked may not have heard of the change yet.
                None => find_setting(&after, name)
                    .filter(|setting| setting.source != SettingSource::Topic)
                    .map_or_else(|| "its default".to_owned(), words),
            };
            say!("{}: {name} {was} → {is}", args.topic);
        }
    }
    if let Some(wanted) = args.partitions {
        admin.grow(&args.topic, wanted)?;
        say!(
            "{}: {now} → {wanted} partitions; the keys of new records are spread over all of them",
            args.topic
        );
    }
    Ok(())
}

fn settings_of(admin: &Admin, topic: &str) -> Result<Vec<Setting>> {
    match admin.topic_settings(&[topic])?.remove(topic) {
        Some(settings) => Ok(settings),
        None => bail!("the cluster does not tell the settings of {topic}: may this client read them?"),
    }
}

fn find_setting<'a>(settings: &'a [Setting], name: &str) -> Option<&'a Setting> {
    settings.iter().find(|setting| setting.name == *name)
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "(empty)" } else { value }
}

/// The value, and that nobody has set it if so.
fn words(setting: &Setting) -> String {
    let value = shown(setting.value.as_deref().unwrap_or("(secret)"));
    match setting.source {
        SettingSource::Default => format!("{value} (default)"),
        SettingSource::Broker => format!("{value} (of the broker)"),
        SettingSource::Topic => value.to_owned(),
    }
}

/// Deletes topics once all of them are found and it is sure that they are meant.
pub(super) fn delete(args: &DeleteTopicsArgs) -> Result<()> {
    let admin = connect(&args.cluster)?;
    let known = admin.layout()?;
    let mut found = Vec::new();
    for name in &args.topics {
        match known.iter().find(|topic| topic.name == *name) {
            Some(topic) => found.push(topic),
            None if args.if_exists => say!("there is no topic {name}"),
            None => {
                let servers = admin.settings().servers().to_owned();
                return Err(NoSuchTopic { topic: name.clone(), servers }.into());
            }
        }
    }
    let lost = found.iter().find_map(|topic| INTERNAL.iter().find(|(name, _)| *name == topic.name));
    if let Some((name, what)) = lost.filter(|_| !args.internal) {
        bail!(
            "{name} is one of Kafka's own topics, and says {what}: that would be lost; add --internal if it is meant"
        );
    }
    found.sort();
    found.dedup();
    if found.is_empty() {
        return Ok(());
    }
    let found: Vec<_> = found.into_iter().cloned().collect();
    let written = sum(&offsets(&admin, &found)?, |offsets| offsets.latest - offsets.earliest);
    let names: Vec<&str> = found.iter().map(|topic| &*topic.name).collect();
    let what = match names[..] {
        [name] => format!("the topic {name}"),
        _ => format!("{} topics ({})", names.len(), names.join(", ")),
    };
    let records =
        written.map_or_else(|| "all records".to_owned(), |count| plural(count.max(0) as u64, "record"));
    let with = lost.map(|(_, what)| format!(", that is {what},")).unwrap_or_default();
    confirm(&format!("delete {what} with {records}{with}"), args.yes)?;
    admin.delete(&names)?;
    say!("deleted {what} with {records}");
    Ok(())
}
