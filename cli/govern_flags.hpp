// Flags that the commands that govern the registry share. Values.
#pragma once

#include <array>

#include "cli/arguments.hpp"

namespace tokenrail::cli {

inline constexpr Flag org_flag{.name = "org", .value = "ORG", .help = "for this organisation (default: the platform)"};
inline constexpr Flag dry_run_flag{.name = "dry-run", .help = "check everything, and change nothing"};
inline constexpr Flag force_flag{.name = "force", .help = "also where something still uses it"};

inline constexpr std::array<Flag, 1> org_flags{{org_flag}};
inline constexpr std::array<Flag, 2> change_flags{{org_flag, dry_run_flag}};
inline constexpr std::array<Flag, 3> remove_flags{{org_flag, force_flag, dry_run_flag}};

}  // namespace tokenrail::cli
