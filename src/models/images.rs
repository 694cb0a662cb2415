//! What machines are made of: images and packages.

use serde::{Deserialize, Serialize};

use super::{Brand, DiskSize, Map, Open, Time, or_default};

/// The API's Image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// UUID.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// Name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Version.
    #[serde(deserialize_with = "or_default")]
    pub version: String,
    /// Operating system; absent in the answer to its creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<Open<Os>>,
    /// What it holds; absent in the answer to its creation.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Open<ImageType>>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What a machine needs to have.
    #[serde(deserialize_with = "or_default")]
    pub requirements: Requirements,
    /// Size of the disk, in MiB; only `zvol`; since 9.4.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<u64>,
    /// Its file, one at most; since 7.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<ImageFile>>,
    /// Tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Map>,
    /// URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// When it was activated; absent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Time>,
    /// UUID of the account; since 7.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether everybody may use it; since 7.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    /// Whether it can be used; since 7.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Open<ImageState>>,
    /// URL of the licence; since 7.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eula: Option<String>,
    /// UUIDs of the accounts that may use it too; since 7.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acl: Option<Vec<String>>,
    /// UUID of the image that it builds upon; since 7.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Why it failed; since 7.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ImageError>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The operating system of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Os {
    /// SmartOS.
    Smartos,
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// A BSD.
    Bsd,
    /// Another illumos.
    Illumos,
    /// Any other.
    Other,
}

/// What an image holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ImageType {
    /// The file system of a zone.
    ZoneDataset,
    /// The file system of a Linux zone.
    LxDataset,
    /// The disk of a virtual machine.
    Zvol,
    /// Layers of Docker.
    Docker,
    /// An image of LXD.
    Lxd,
    /// Anything else.
    Other,
    /// A disk, as versions before 8 call it.
    Virtualmachine,
    /// A zone, as versions before 8 call it.
    Smartmachine,
}

/// Whether an image can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ImageState {
    /// It can.
    Active,
    /// Not yet: it has no file.
    Unactivated,
    /// Not by new machines.
    Disabled,
    /// It is being made.
    Creating,
    /// It could not be made.
    Failed,
    /// It is no more; usually hidden.
    Destroyed,
}

/// What an image asks of a machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Requirements {
    /// Least memory, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_memory: Option<u64>,
    /// Most memory, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_memory: Option<u64>,
    /// The same as `min_memory`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ram: Option<u64>,
    /// The same as `max_memory`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ram: Option<u64>,
    /// Brand; since 8.10.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<Open<Brand>>,
    /// Firmware; since 9.2.4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootrom: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The file of an image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageFile {
    /// How it is packed.
    #[serde(deserialize_with = "or_default")]
    pub compression: Open<Compression>,
    /// SHA-1, in hexadecimal.
    #[serde(deserialize_with = "or_default")]
    pub sha1: String,
    /// Size in bytes.
    #[serde(deserialize_with = "or_default")]
    pub size: u64,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// How the file of an image is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Compression {
    /// Bzip2.
    Bzip2,
    /// Gzip.
    Gzip,
    /// Not at all.
    None,
}

/// Why an image failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageError {
    /// Such as `PrepareImageDidNotRun`, `VmHasNoOrigin`, `NotSupported`, `InternalError`.
    #[serde(deserialize_with = "or_default")]
    pub code: String,
    /// The words.
    #[serde(deserialize_with = "or_default")]
    pub message: String,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The answer to ExportImage: where the image is in Manta.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportedImage {
    /// URL of Manta.
    #[serde(deserialize_with = "or_default")]
    pub manta_url: String,
    /// Path of the file.
    #[serde(deserialize_with = "or_default")]
    pub image_path: String,
    /// Path of the manifest.
    #[serde(deserialize_with = "or_default")]
    pub manifest_path: String,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The API's Package.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Package {
    /// UUID.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// Name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Memory, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Disk, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    /// Swap, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<u64>,
    /// Most threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lwps: Option<u64>,
    /// Virtual processors; 0 where unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vcpus: Option<serde_json::Number>,
    /// Group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is the default one; deprecated in 8.0.0.
    #[serde(deserialize_with = "or_default")]
    pub default: bool,
    /// The brand that it is for; since 8.8.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<Open<Brand>>,
    /// Whether the disk can be divided; only `bhyve`; since 9.4.3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flexible_disk: Option<bool>,
    /// How the disk is divided; only `bhyve`; since 9.4.3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disks: Option<Vec<PackageDisk>>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// A disk of a package; since 9.4.3.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageDisk {
    /// Size.
    #[serde(deserialize_with = "or_default")]
    pub size: DiskSize,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}
