// The names of steps and mutations, and a state as one line of a trace.
#include <array>
#include <string>

#include "consistency/model/protocol.hpp"

namespace um::model {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Step::count)> kStepNames{
    "time",
    "lease lapses",
    "poll sent",
    "poll answered",
    "poll received",
    "poll emptied",
    "poll applied",
    "poll flushed",
    "lease written",
    "lease denied",
    "incarnation made",
    "reconnected",
    "trimmed",
    "mark taken",
    "purged",
    "ack sent",
    "ack inserted",
    "ack refused",
    "expelled",
    "member polls",
    "join locked",
    "join inserted",
    "join acknowledged",
    "refresh sent",
    "refresh done",
    "refresh missed",
    "refresh heard",
    "lease ended",
    "row deleted",
    "reaper lists",
    "reaper waits",
    "reaper deletes",
    "reaper turned away",
    "session ends",
    "planned",
    "a begun",
    "a committed",
    "a acknowledged",
    "registry asked",
    "hold reaped",
    "b begun",
    "b fenced",
    "b locked",
    "b gated",
    "gate epoch",
    "gate no hold",
    "gate not yet",
    "gate not alone",
    "b updated",
    "cas lost",
    "key not held",
    "commit alone",
    "commit acknowledged",
    "commit waited",
    "commit bounded",
    "answered",
    "gave up",
    "connection lost",
    "orphan commits",
    "orphan aborts",
    "delete waits",
    "told failure",
    "hold gone",
    "told success",
    "told unknown",
    "fill queried",
    "fill admitted",
    "fill refused",
    "fact stored",
    "fact refused",
    "hit",
    "hit during hold",
    "hit own hold",
    "l2 hit",
    "reader checks",
    "reader answers",
    "reader too late",
    "follower joins",
    "follower served",
    "follower turned away",
    "primary read",
    "crash",
    "rows restored",
    "failover",
    "migrated",
    "process started",
    "instance stops",
    "foreign begins",
    "foreign commits",
    "out of ids",
};

constexpr std::array<std::string_view, static_cast<std::size_t>(Mutation::count)> kMutationNames{
    "none",
    "look up before the lease check",
    "fills without admission",
    "naive single flight",
    "follower without a valid lease",
    "follower of an inadmissible result",
    "writer waits less",
    "wait without epsilon",
    "commit wait answer without a hold",
    "polls before it registers",
    "reaper without the self fence",
    "xmin horizon",
    "acknowledged when received",
    "acknowledgement of an earlier hold",
    "acknowledgement without its snapshot",
    "registry read before a commits",
    "alone without the lock",
    "acknowledgements count in a new namespace",
    "lease from an earlier poll",
    "mark shows newer holds only",
    "row deleted before the lease ends",
    "b without the fence",
    "no former bound",
    "former bound of the last change only",
    "no incarnation",
    "refresh gates l1 only",
    "base set after emptying",
    "hold ids used again",
    "bounded write not logged",
    "flush forgets own writes",
    "status across a crash",
    "key outside the hold",
    "holds known by key",
    "join under the former id",
    "lease before the shards",
    "lease from the receipt",
    "own keys not held",
    "own hold ends with the answer",
    "unknown outcome ends the hold",
    "admission ignores the base",
    "b in another namespace",
    "gate ignores the epoch",
    "quick reap at once",
    "purge without the mark",
};

constexpr std::array<std::string_view, 15> kPhaseNames{
    "idle",   "planned", "A open", "A done",  "held",    "B begun", "B fenced", "B gated",
    "COMMIT", "B done",  "lost",   "no hold", "written", "failed",  "unknown"};
constexpr std::array<std::string_view, 6> kPollNames{"idle",     "sent",    "answered",
                                                     "received", "emptied", "applied"};

std::string set(Xids xids) {
  std::string text = "{";
  for (unsigned xid = 1; xid <= kMostXids; ++xid) {
    if (xids.has(xid)) {
      text += (text.size() > 1 ? "," : "") + std::to_string(xid);
    }
  }
  return text + "}";
}

std::string number(const char* title, unsigned value) {
  return std::string{" "} + title + std::to_string(value);
}

}  // namespace

std::string_view name(Step step) {
  return kStepNames.at(static_cast<std::size_t>(step));
}

std::string_view name(Mutation mutation) {
  return kMutationNames.at(static_cast<std::size_t>(mutation));
}

std::string describe(const State& s) {
  const Database& d = s.database;
  std::string text = "db v" + std::to_string(d.version) + number("next xid ", d.next_xid) +
                     " ended " + set(d.ended) + number("holds ", d.holds.word) +
                     number("namespace ", d.name()) + " rows ";
  for (const Byte row : d.row) {
    text += std::to_string(row);
  }
  text += number("floor ", s.floor);
  for (unsigned i = 0; i < kInstances; ++i) {
    const Instance& a = s.instances[i];
    if (a.life == Life::not_started) {
      continue;
    }
    text += " | i" + std::to_string(i) + " S" + set(a.applied) + " B" + set(a.base) + " log" +
            set(a.log) + number("H ", a.holds.word) + (a.local.empty() ? "" : " own") +
            (a.l1 == 0 ? " L1 -" : number("L1 v", a.l1 - 1U)) + number("lease ", a.lease) +
            number("t_first ", a.first_wait);
    if (a.fill != 0) {
      text += number("fill v", a.fill_version) + set(a.fill_seen);
    }
    if (a.poll != Poll::idle) {
      text += " poll " + std::string{kPollNames.at(static_cast<std::size_t>(a.poll))} +
              number("age ", a.poll_age) + (a.poll == Poll::sent ? "" : " S'" + set(a.answer));
    }
  }
  for (unsigned w = 0; w < kWriters; ++w) {
    const Writer& writer = s.writers[w];
    if (writer.phase != Phase::idle) {
      text += " | w" + std::to_string(w) + " " +
              std::string{kPhaseNames.at(static_cast<std::size_t>(writer.phase))} +
              number("xid ", writer.xid) + number("wait ", writer.wait);
    }
  }
  return text;
}

}  // namespace um::model
