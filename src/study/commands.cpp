#include "thalweg/study/commands.hpp"

#include <new>
#include <optional>
#include <ostream>

#include "thalweg/core/petsc.hpp"
#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

constexpr Command rows[] = {
    {"study", "factors x methods x seeds under matched conditions: when does diffusion help?",
     "study data model flow scheme stop record out petsc",
     "scheme.step=0.1 scheme.batch=30 stop.steps=1500 record.count=25 data.samples=300 flow.sigma=1 flow.nu=1e-6 "
     "data.spread=0.15",
     true, study},
    {"train", "one flow or optimizer on one data set", "data model flow scheme stop record surface decision out petsc",
     "", true, train},
    {"schemes", "work-precision comparison of schemes on one flow: errors, orders, counters, stability",
     "schemes data model flow scheme stop record out petsc", "stop.time=10 record.count=10", true, compare_schemes},
    {"limit", "one continuum limit: errors against the small parameter, fitted order with interval",
     "limit data model flow scheme stop record out petsc",
     "stop.time=2 record.count=8 scheme.batch=4 scheme.sampling=replacement", true, limit},
    {"evaluate", "loss, gradient and one Hessian-vector product of given weights on given data",
     "in evaluate model out", "", false, evaluate},
    {"surface", "loss on a line, plane or volume through trained points, with the paths projected onto it",
     "in evaluate surface model out petsc", "", true, surface},
    {"spectrum", "Hessian eigenpairs, trace and density of a finished run, at its end or along its path",
     "in evaluate spectrum model out petsc", "", true, spectrum},
    {"data", "make or inspect a data set", "data out", "", false, data},
    {"list", "every table: names and one line of meaning", "", "", false, list},
};

std::string usage() {
  std::string text =
      "thalweg COMMAND [FILE.ini] [--section.key=value ...] [-- PETSC OPTIONS]\n"
      "thalweg COMMAND --help lists the command's keys; --quiet turns notes off.\n\n";
  for (const Command& row : rows) {
    std::string name(row.name);
    name.resize(10, ' ');
    text += "  " + name + std::string(row.what) + "\n";
  }
  return text;
}

int dispatch(std::span<const std::string> arguments, const Console& console, std::optional<petsc::Session>& session) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "help") {
    console.out << usage();
    return arguments.empty() ? 2 : 0;
  }
  Request request = parse(arguments, commands());
  if (request.help) {
    console.out << help_text(*request.command);
    return 0;
  }
  Console own = console;
  own.notes = !request.quiet;
  if (request.command->solves) {
    session.emplace(request.settings.petsc_options);
    own.rank = session->rank();
    own.ranks = session->ranks();
    own.notes = own.notes && own.rank == 0;
  }
  return request.command->run(request, own);
}

}  // namespace

std::span<const Command> commands() { return rows; }

int exit_code(Status status) {
  switch (status) {
    case Status::time:
    case Status::steps:
    case Status::gradients:
    case Status::loss:
    case Status::grad_norm:
    case Status::wall:
      return 0;
    case Status::interrupted:
      return 130;
    case Status::diverged:
    case Status::failed:
      return 3;
  }
  return 4;
}

int run_command_line(std::span<const std::string> arguments, const Console& console) {
  std::optional<petsc::Session> session;
  const auto complain = [&](const char* problem) {
    // All ranks meet the same problem; one voice is enough.
    if (!session || session->rank() == 0) console.err << "thalweg: " << problem << '\n';
  };
  try {
    return dispatch(arguments, console, session);
  } catch (const std::invalid_argument& misuse) {
    complain(misuse.what());
    return 2;
  } catch (const std::bad_alloc&) {
    complain("not enough memory; lower data.samples, model.hidden, record.count, surface.size or decision.size");
    return 4;
  } catch (const std::exception& failure) {
    complain(failure.what());
    return 4;
  }
}

}  // namespace thalweg
