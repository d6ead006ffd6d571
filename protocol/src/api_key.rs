//! Every request this project speaks: its number, and the versions of it.

use std::fmt;

use crate::Version;

macro_rules! api_keys {
    ($( $(#[$meta:meta])* $name:ident = $key:literal, $min:literal..=$max:literal, flexible $flexible:expr; )+) => {
        /// What a request asks for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i16)]
        pub enum ApiKey {
            $( $(#[$meta])* $name = $key, )+
        }

        impl ApiKey {
            /// All of them, by ascending number.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The request with this number, if it is one we speak.
            pub fn from_number(number: i16) -> Option<Self> {
                match number {
                    $( $key => Some(Self::$name), )+
                    _ => None,
                }
            }

            /// Lowest and highest version that the codec reads and writes, which
            /// are also the ones announced.
            pub fn versions(self) -> (i16, i16) {
                match self {
                    $( Self::$name => ($min, $max), )+
                }
            }

            fn first_flexible(self) -> i16 {
                match self {
                    $( Self::$name => $flexible, )+
                }
            }
        }
    };
}

api_keys! {
    /// Append records.
    Produce = 0, 0..=11, flexible 9;
    /// Read records.
    Fetch = 1, 4..=18, flexible 12;
    /// Find an offset by time.
    ListOffsets = 2, 1..=11, flexible 6;
    /// Brokers, topics and leaders.
    Metadata = 3, 0..=13, flexible 9;
    /// Remember how far a group has come.
    OffsetCommit = 8, 2..=9, flexible 8;
    /// Ask how far a group has come.
    OffsetFetch = 9, 1..=9, flexible 6;
    /// Which broker looks after a group.
    FindCoordinator = 10, 0..=4, flexible 3;
    /// Become a member of a group.
    JoinGroup = 11, 0..=9, flexible 6;
    /// Stay a member.
    Heartbeat = 12, 0..=4, flexible 4;
    /// Stop being a member.
    LeaveGroup = 13, 0..=5, flexible 4;
    /// Hand out or receive the assignment of partitions.
    SyncGroup = 14, 0..=5, flexible 4;
    /// State and members of groups.
    DescribeGroups = 15, 0..=6, flexible 5;
    /// All groups.
    ListGroups = 16, 0..=5, flexible 3;
    /// Which way of logging in.
    SaslHandshake = 17, 0..=1, flexible i16::MAX;
    /// Which requests, in which versions.
    ApiVersions = 18, 0..=4, flexible 3;
    /// Make topics.
    CreateTopics = 19, 0..=7, flexible 5;
    /// Remove topics.
    DeleteTopics = 20, 0..=6, flexible 4;
    /// Remove the records before an offset.
    DeleteRecords = 21, 0..=2, flexible 2;
    /// Get a producer id.
    InitProducerId = 22, 0..=4, flexible 2;
    /// Where a leader epoch ended.
    OffsetForLeaderEpoch = 23, 2..=4, flexible 4;
    /// Who may do what.
    DescribeAcls = 29, 1..=3, flexible 2;
    /// Read settings.
    DescribeConfigs = 32, 0..=4, flexible 4;
    /// Replace settings.
    AlterConfigs = 33, 0..=2, flexible 2;
    /// Where partitions are kept, and how large they are.
    DescribeLogDirs = 35, 1..=5, flexible 2;
    /// The bytes of a login.
    SaslAuthenticate = 36, 0..=2, flexible 2;
    /// Give topics more partitions.
    CreatePartitions = 37, 0..=3, flexible 2;
    /// Tokens that stand for a login.
    DescribeDelegationToken = 41, 1..=3, flexible 2;
    /// Remove groups.
    DeleteGroups = 42, 0..=2, flexible 2;
    /// Choose new leaders of partitions.
    ElectLeaders = 43, 0..=2, flexible 2;
    /// Change settings one by one.
    IncrementalAlterConfigs = 44, 0..=1, flexible 1;
    /// Partitions that are on their way to other brokers.
    ListPartitionReassignments = 46, 0..=0, flexible 0;
    /// Forget committed offsets.
    OffsetDelete = 47, 0..=0, flexible i16::MAX;
    /// How much clients may use.
    DescribeClientQuotas = 48, 0..=1, flexible 1;
    /// By which mechanisms users can log in.
    DescribeUserScramCredentials = 50, 0..=0, flexible 0;
    /// Who votes on the metadata.
    DescribeQuorum = 55, 0..=2, flexible 0;
    /// The brokers.
    DescribeCluster = 60, 0..=2, flexible 0;
    /// Producers that have written to partitions.
    DescribeProducers = 61, 0..=0, flexible 0;
    /// The state of transactions.
    DescribeTransactions = 65, 0..=0, flexible 0;
    /// All transactions.
    ListTransactions = 66, 0..=2, flexible 0;
    /// What can have settings.
    ListConfigResources = 74, 0..=1, flexible 0;
    /// Topics by pages of partitions.
    DescribeTopicPartitions = 75, 0..=0, flexible 0;
}

impl ApiKey {
    /// The number on the wire.
    pub fn number(self) -> i16 {
        self as i16
    }

    /// Whether the codec speaks this version.
    pub fn supports(self, version: i16) -> bool {
        let (min, max) = self.versions();
        (min..=max).contains(&version)
    }

    /// The version `number` of this request, which must be one of [`ApiKey::versions`].
    pub fn version(self, number: i16) -> Version {
        assert!(self.supports(number), "version {number} of {self} has no codec: ask `supports` first");
        Version { number, flexible: number >= self.first_flexible() }
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
