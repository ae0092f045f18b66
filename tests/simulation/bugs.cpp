#include "tests/simulation/bugs.hpp"

#include <array>

namespace tokenrail::router {

Bug planted_bug = Bug::none;

}  // namespace tokenrail::router

namespace tokenrail::simulation {

namespace {

using router::Bug;

constexpr auto bugs = std::to_array<NamedBug>({
    {.name = "chunk_end_early", .bug = Bug::chunk_end_early},
    {.name = "interrupted_is_complete", .bug = Bug::interrupted_is_complete},
    {.name = "release_unconfirmed", .bug = Bug::release_unconfirmed},
    {.name = "release_lists_too_few", .bug = Bug::release_lists_too_few},
    {.name = "chunk_offset_too_far", .bug = Bug::chunk_offset_too_far},
    {.name = "audit_offset_too_far", .bug = Bug::audit_offset_too_far},
    {.name = "epoch_reused", .bug = Bug::epoch_reused},
    {.name = "terminal_sent_again", .bug = Bug::terminal_sent_again},
    {.name = "next_when_sent", .bug = Bug::next_when_sent},
    {.name = "commit_passes_incomplete", .bug = Bug::commit_passes_incomplete},
    {.name = "goes_on_after_failed_report", .bug = Bug::goes_on_after_failed_report},
    {.name = "closes_with_terminal", .bug = Bug::closes_with_terminal},
    {.name = "complete_when_acknowledged", .bug = Bug::complete_when_acknowledged},
    {.name = "calls_when_acknowledged", .bug = Bug::calls_when_acknowledged},
    {.name = "continued_ignored", .bug = Bug::continued_ignored},
    {.name = "chunk_cap_too_far", .bug = Bug::chunk_cap_too_far},
    {.name = "runs_again_on_lease_end", .bug = Bug::runs_again_on_lease_end},
    {.name = "runs_again_though_cut", .bug = Bug::runs_again_though_cut},
    {.name = "no_tail_after_lease", .bug = Bug::no_tail_after_lease},
    {.name = "forgets_attempts", .bug = Bug::forgets_attempts},
    {.name = "duplicate_though_run", .bug = Bug::duplicate_though_run},
    {.name = "runs_duplicates", .bug = Bug::runs_duplicates},
    {.name = "deadline_ignored", .bug = Bug::deadline_ignored},
    {.name = "refusal_fails_partition", .bug = Bug::refusal_fails_partition},
    {.name = "runs_again_though_refused", .bug = Bug::runs_again_though_refused},
    {.name = "refused_letter_is_written", .bug = Bug::refused_letter_is_written},
    {.name = "silence_fails_all", .bug = Bug::silence_fails_all},
    {.name = "loss_untold", .bug = Bug::loss_untold},
    {.name = "believes_old_log", .bug = Bug::believes_old_log},
    {.name = "lost_log_untold", .bug = Bug::lost_log_untold},
    {.name = "kept_is_lost", .bug = Bug::kept_is_lost},
    {.name = "stays_with_host", .bug = Bug::stays_with_host},
    {.name = "waits_for_cancellations", .bug = Bug::waits_for_cancellations},
    {.name = "restart_forgotten", .bug = Bug::restart_forgotten},
    {.name = "restarts_unasked", .bug = Bug::restarts_unasked},
    {.name = "repeats_blanks", .bug = Bug::repeats_blanks},
    {.name = "continues_from_start", .bug = Bug::continues_from_start},
    {.name = "slower_call_goes_on", .bug = Bug::slower_call_goes_on},
    {.name = "terminal_is_enough", .bug = Bug::terminal_is_enough},
    {.name = "unclaimed_fill_window", .bug = Bug::unclaimed_fill_window},
    {.name = "letters_fill_window", .bug = Bug::letters_fill_window},
    {.name = "silent_takes_places", .bug = Bug::silent_takes_places},
    {.name = "well_is_lost", .bug = Bug::well_is_lost},
    {.name = "answer_begins_before", .bug = Bug::answer_begins_before},
});

}  // namespace

std::span<const NamedBug> planted_bugs() {
  return bugs;
}

std::optional<router::Bug> bug_named(std::string_view name) {
  for (const auto& [known, bug] : bugs) {
    if (known == name) return bug;
  }
  return std::nullopt;
}

}  // namespace tokenrail::simulation
