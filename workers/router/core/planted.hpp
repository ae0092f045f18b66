// Bugs that can be planted, one for each rule of the ownership protocol, so that the checks which guard the rules can
// be shown red. They exist only in the copy of the router's core that tests/simulation builds (with
// TOKENRAIL_PLANTED_BUGS); in the router itself planted() is a constant, and nothing of them is compiled in.
#pragma once

#include <cstdint>

namespace tokenrail::router {

enum class Bug : std::uint8_t {
  none,
  chunk_end_early,              ///< the end of the chunk log is asked for before the claim is acknowledged
  interrupted_is_complete,      ///< an interrupted attempt counts as the request's answer
  release_unconfirmed,          ///< the partition is given up before `released` is known to count
  release_lists_too_few,        ///< attempts whose terminal chunk has been sent are not listed
  chunk_offset_too_far,         ///< one beyond the lowest terminal chunk without a response
  audit_offset_too_far,         ///< one beyond the lowest event of an incomplete request
  epoch_reused,                 ///< claims the highest epoch seen, not one more
  terminal_sent_again,          ///< a terminal chunk of unknown fate is produced once more
  next_when_sent,               ///< a key's next request starts when the terminal chunk is sent
  commit_passes_incomplete,     ///< commits one past the highest complete offset
  goes_on_after_failed_report,  ///< no new claim after a report that is not OK
  closes_with_terminal,         ///< recovery writes a terminal chunk for what it closes
  complete_when_acknowledged,   ///< the log is not looked at: an acknowledged response completes
  calls_when_acknowledged,      ///< the log is not looked at: an acknowledged llm.request lets the call be made
  continued_ignored,            ///< chunkOffset does not wait for attempts that are continued elsewhere
  chunk_cap_too_far,            ///< chunkOffset: one past the last chunk acknowledged, whatever event was sent before
  runs_again_on_lease_end,      ///< after a lease has run out the request runs again at once
  runs_again_though_cut,        ///< a request whose answer may have stood where retention has been is run again
  no_tail_after_lease,          ///< after a lease has run out the chunk log is not read
  forgets_attempts,             ///< attempts found in the tail are not closed
  duplicate_though_run,       ///< a request that has been run is answered as a duplicate, when the window says so later
  runs_duplicates,            ///< a request seen before is run again
  deadline_ignored,           ///< a request past its deadline is called all the same
  refusal_fails_partition,    ///< a record that was refused for good fails its partition
  runs_again_though_refused,  ///< a request of which a chunk was refused is run again
  refused_letter_is_written,  ///< a dead letter that was refused counts as written
  silence_fails_all,          ///< a partition of a topic that acknowledges nothing fails all partitions
  loss_untold,                ///< requests that were deleted unread are passed over in silence
  believes_old_log,           ///< a log that is another one than was read is taken for the same
  lost_log_untold,            ///< requests that are gone with their log are passed over in silence
  kept_is_lost,               ///< what a log that went back has kept is told to be lost too
  stays_with_host,            ///< a call that found no host is not made to another one
  waits_for_cancellations,    ///< nothing starts before the cancellations have been read, however long that takes
  restart_forgotten,          ///< an attempt that ended for a restart is followed by none
  restarts_unasked,           ///< an answer that breaks off is run again though its sender wants the error
  repeats_blanks,             ///< a continuation's first blanks are published though they were before
  continues_from_start,       ///< the call that continues an answer is not given what has been said
  slower_call_goes_on,        ///< of two calls that run side by side, the slower one is not ended
  terminal_is_enough,         ///< a terminal chunk in the tail counts as a whole answer, whatever is missing before it
  unclaimed_fill_window,      ///< what a partition is handed before it runs may fill the window
  letters_fill_window,        ///< dead letters that their topic does not take may fill the window
  silent_takes_places,        ///< attempts that wait for reports of one partition may hold all places
  well_is_lost,               ///< what a worker that is well has given up is closed as lost with its worker
  answer_begins_before,       ///< chunkOffset does not wait for the first chunk of attempts without a response
};

#ifdef TOKENRAIL_PLANTED_BUGS
/// The one that is planted in this process.
extern Bug planted_bug;
[[nodiscard]] inline bool planted(Bug bug) {
  return planted_bug == bug;
}
#else
[[nodiscard]] constexpr bool planted(Bug /*bug*/) {
  return false;
}
#endif

}  // namespace tokenrail::router
