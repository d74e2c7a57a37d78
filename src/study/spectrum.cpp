#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

#include "thalweg/core/file.hpp"
#include "thalweg/core/petsc.hpp"
#include "thalweg/core/table.hpp"
#include "thalweg/diagnose/density.hpp"
#include "thalweg/diagnose/overlap.hpp"
#include "thalweg/diagnose/trace.hpp"
#include "thalweg/integrate/petsc_ts.hpp"
#include "thalweg/study/commands.hpp"
#include "thalweg/study/finished_run.hpp"
#include "thalweg/study/postprocess.hpp"
#include "thalweg/study/provenance.hpp"
#include "thalweg/study/run_directory.hpp"
#include "thalweg/study/shared_products.hpp"
#include "thalweg/study/spectra.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Rows = std::vector<std::vector<double>>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Calls to a map, for what is said before and after.
class Counted {
 public:
  explicit Counted(SymmetricMap map) : map_(std::move(map)) {}
  SymmetricMap map() {
    return {map_.size, [this](const Matrix& x, Matrix& ax) {
              products_ += x.cols();
              map_.apply(x, ax);
            }};
  }
  std::int64_t products() const { return products_; }

 private:
  SymmetricMap map_;
  std::int64_t products_ = 0;
};

/// What a spectrum multiplies with at the end of a run: its matrix and, of a network, the Gauss-Newton part.
std::vector<SymmetricMap> maps_of(const Experiment& ex, const std::string& matrix, In y) {
  std::vector<SymmetricMap> maps{find(spectra(), matrix, "spectrum.matrix").map(ex, y)};
  if (ex.learning) maps.push_back(gauss_newton(ex.learning->risk, y));
  return maps;
}

/// Seconds of one product, the shorter of two.
double product_seconds(const SymmetricMap& map) {
  const Matrix x = Matrix::Constant(map.size, 1, 1 / std::sqrt(static_cast<double>(map.size)));
  Matrix ax;
  double best = std::numeric_limits<double>::infinity();
  for (int k = 0; k < 2; ++k) {
    const auto start = Clock::now();
    map.apply(x, ax);
    best = std::min(best, seconds_since(start));
  }
  return best;
}

/// One spectrum command: the numbers as they come, then the files.
class Spectrum {
 public:
  /// `products`: of the matrix and of its Gauss-Newton part, as maps_of gives them.
  Spectrum(const Settings& settings, const FinishedRun& run, SharedProducts& products, const Console& console)
      : spec_(settings.spectrum),
        run_(run),
        ex_(run.experiment()),
        console_(console),
        kind_(find(spectra(), spec_.matrix, "spectrum.matrix")),
        counted_(products.map(0)),
        map_(counted_.map()),
        gauss_newton_(ex_.learning ? std::optional(products.map(1)) : std::nullopt),
        gradient_(run.theta().size()),
        loss_(ex_.objective.gradient(run.theta(), {}, gradient_)) {}

  void announce() {
    each_ = product_seconds(kind_.map(ex_, run_.theta()));
    // Krylov-Schur takes some ten products a pair and twenty to begin with; the search for missed ones half as many.
    const double pairs = 30 + 15.0 * spec_.count + (spec_.bottom > 0 ? 60 + 60.0 * spec_.bottom : 0);
    const double alone = pairs * (1 + .5 * spec_.path), shared = 3.0 * spec_.probes + 1.0 * spec_.steps * spec_.vectors;
    const double seconds = each_ * (alone + shared / console_.ranks);
    console_.note("about " + to_text(alone + shared) + " products of " + to_text(std::round(each_ * 1e7) / 1e4) +
                  " ms each: " + (seconds < 1 ? "less than a second" : duration_text(seconds)));
  }

  void solve() {
    EigenSettings s{spec_.count, SpectrumEnd::top, spec_.tolerance, 0, spec_.seed};
    top_ = eigenpairs(map_, s);
    if (spec_.bottom > 0) {
      s.count = spec_.bottom;
      s.end = SpectrumEnd::bottom;
      s.scale = top_.values.size() > 0 ? std::abs(top_.values[0]) : 0;
      bottom_ = eigenpairs(map_, s);
    }
    felt_ = felt_sharpness(ex_, run_.theta(), spec_.tolerance, top_.vectors);
    if (spec_.probes > 0) {
      trace_ = hutchinson(map_, spec_.probes, spec_.seed);
      sharp_trace_ = hutch_plus_plus(map_, spec_.probes, spec_.seed);
      if (gauss_newton_) split_trace_ = hutch_plus_plus(*gauss_newton_, spec_.probes, spec_.seed);
    }
    if (spec_.steps > 0)
      density_ = smoothed(lanczos_quadratures(map_, spec_.vectors, spec_.steps, spec_.seed), spec_.bandwidth, 2001);
  }

  bool complete() const { return top_.complete && bottom_.complete && felt_.complete && path_complete_; }

  void follow() {
    if (spec_.path == 0) return;
    const Trajectory path = run_.path(console_);
    const StabilityLimit stability = stability_limit(ex_.scheme);
    Matrix warm, felt_warm;
    Progress progress(console_, "along the path", spec_.path);
    for (const std::size_t k : spread(path.states.size(), spec_.path)) {
      if (console_.interrupted && console_.interrupted()) break;
      const Vector& y = path.states[k];
      const Eigenpairs pairs =
          eigenpairs(kind_.map(ex_, y), {spec_.count, SpectrumEnd::top, spec_.tolerance, 0, spec_.seed}, nullptr, warm);
      const Eigenpairs felt = felt_sharpness(ex_, y, spec_.tolerance, felt_warm);
      path_complete_ = path_complete_ && pairs.complete && felt.complete;
      path_products_ += pairs.products + felt.products;
      const double sharpness = felt.values.size() > 0 ? felt.values[0] : nan;
      std::vector<double> row{path.times[k], static_cast<double>(path.steps[k]), ex_.objective.value(y, {})};
      for (Index i = 0; i < spec_.count; ++i) row.push_back(i < pairs.values.size() ? pairs.values[i] : nan);
      row.push_back(pairs.residuals.size() > 0 ? pairs.residuals.maxCoeff() : nan);
      row.insert(row.end(), {sharpness, stability.step * sharpness, stability.limit});
      path_rows_.push_back(std::move(row));
      warm = pairs.vectors;
      felt_warm = felt.vectors;
      progress.at(static_cast<double>(path_rows_.size()));
    }
  }

  void write(const fs::path& directory, const std::string& status, double seconds) const {
    replace_file(directory / "spectrum.csv", pairs_csv());
    replace_file(directory / "vectors.csv", vectors_csv());
    if (density_) replace_file(directory / "density.csv", density_csv());
    if (!path_rows_.empty()) replace_file(directory / "sharpness.csv", sharpness_csv());
    RunReport report{"spectrum",
                     status,
                     "",
                     numbers(),
                     {{"matrix", spec_.matrix}},
                     {},
                     seconds,
                     console_.ranks,
                     petsc::options_in_force()};
    replace_file(directory / "spectrum.json", evaluation_json(report));
    replace_file(directory / "run.json", run_json(report));
  }

  void summarise(std::ostream& out) const {
    for (const auto& [name, value] : numbers())
      if (!std::isnan(value)) out << name << ' ' << to_text(value) << '\n';
  }

 private:
  std::vector<std::pair<std::string, double>> numbers() const {
    const StabilityLimit stability = stability_limit(ex_.scheme);
    const double felt = felt_.values.size() > 0 ? felt_.values[0] : nan;
    std::vector<std::pair<std::string, double>> all{{"loss", loss_},
                                                    {"grad_norm", gradient_.norm()},
                                                    {"parameters", static_cast<double>(run_.theta().size())},
                                                    {"sharpness", top_.values.size() > 0 ? top_.values[0] : nan},
                                                    {"felt_sharpness", felt},
                                                    {"step_sharpness", stability.step * felt},
                                                    {"stability_limit", stability.limit}};
    if (trace_)
      all.insert(all.end(), {{"trace", sharp_trace_->value},
                             {"trace_error", sharp_trace_->error},
                             {"trace_hutchinson", trace_->value},
                             {"trace_hutchinson_error", trace_->error}});
    if (split_trace_)
      all.insert(all.end(),
                 {{"trace_gauss_newton", split_trace_->value}, {"trace_gauss_newton_error", split_trace_->error}});
    if (density_) all.insert(all.end(), {{"bandwidth", density_->bandwidth}, {"lanczos_steps", 1.0 * spec_.steps}});
    all.insert(all.end(), {{"products", static_cast<double>(counted_.products() + felt_.products + path_products_ +
                                                            (split_trace_ ? spec_.probes : 0))},
                           {"product_seconds", each_}});
    return all;
  }

  /// One row a pair: rank 1, 2, ... from the top, -1, -2, ... from the bottom.
  std::string pairs_csv() const {
    Rows rows;
    const Matrix v = vectors();
    Vector split = Vector::Constant(v.cols(), nan), noise = split;
    if (ex_.learning) {
      Matrix gv;
      gauss_newton_->apply(v, gv);
      split = v.cwiseProduct(gv).colwise().sum();
      const GradientNoise of_samples = gradient_noise(ex_.objective, run_.theta(), v);
      noise = of_samples.along / of_samples.trace;
    }
    const Vector share = gradient_shares(gradient_, v);
    Index column = 0;
    for (const auto* pairs : {&top_, &bottom_})
      for (Index i = 0; i < pairs->values.size(); ++i, ++column)
        rows.push_back({pairs == &top_ ? i + 1.0 : -(i + 1.0), pairs->values[i], pairs->residuals[i], split[column],
                        share[column], noise[column]});
    return csv_text({"rank", "eigenvalue", "residual", "gauss_newton", "gradient_share", "noise_share"}, rows);
  }

  /// All unit eigenvectors, from the top and from the bottom.
  Matrix vectors() const {
    Matrix all(map_.size, top_.vectors.cols() + bottom_.vectors.cols());
    if (top_.vectors.cols() > 0) all.leftCols(top_.vectors.cols()) = top_.vectors;
    if (bottom_.vectors.cols() > 0) all.rightCols(bottom_.vectors.cols()) = bottom_.vectors;
    return all;
  }

  /// As directions.csv: the point and the unit eigenvectors.
  std::string vectors_csv() const {
    const Matrix v = vectors();
    std::vector<std::string> columns{"index", "centre"};
    for (Index i = 0; i < v.cols(); ++i) columns.push_back("d" + std::to_string(i + 1));
    Rows rows;
    for (Index p = 0; p < map_.size; ++p) {
      rows.push_back({static_cast<double>(p), run_.theta()[p]});
      for (Index i = 0; i < v.cols(); ++i) rows.back().push_back(v(p, i));
    }
    return csv_text(columns, rows);
  }

  std::string density_csv() const {
    Rows rows;
    for (Index i = 0; i < density_->at.size(); ++i)
      rows.push_back({density_->at[i], density_->value[i], density_->error[i]});
    return csv_text({"eigenvalue", "density", "error"}, rows);
  }

  std::string sharpness_csv() const {
    std::vector<std::string> columns{"time", "step", "loss"};
    for (int i = 1; i <= spec_.count; ++i) columns.push_back("eigenvalue_" + std::to_string(i));
    columns.insert(columns.end(), {"residual", "felt_sharpness", "step_sharpness", "stability_limit"});
    return csv_text(columns, path_rows_);
  }

  const SpectrumSpec& spec_;
  const FinishedRun& run_;
  const Experiment& ex_;
  const Console& console_;
  const SpectrumKind& kind_;
  Counted counted_;
  const SymmetricMap map_;
  const std::optional<SymmetricMap> gauss_newton_;
  Vector gradient_;
  double loss_, each_ = 0;
  Eigenpairs top_, bottom_, felt_;
  std::optional<TraceEstimate> trace_, sharp_trace_, split_trace_;
  std::optional<SpectralDensity> density_;
  Rows path_rows_;
  std::int64_t path_products_ = 0;
  bool path_complete_ = true;
};

}  // namespace

int spectrum(const Request& request, const Console& console) {
  const auto start = Clock::now();
  Settings settings = request.settings;
  resolve_finished(settings);
  resolve(settings, request.given);
  const FinishedRun run(settings);
  if (run.experiment().learning) settings.model.loss = run.experiment().learning->loss.name;
  const auto size = static_cast<int>(run.theta().size());
  require_options_used(read_options(run.experiment().scheme, run.experiment().flow));
  SpectrumSpec& spec = settings.spectrum;
  // The defaults are made for networks; a landscape may have a single parameter.
  if (!run.experiment().learning) {
    spec.count = std::min(spec.count, size);
    spec.bottom = std::min(spec.bottom, size);
  }
  require(spec.probes == 0 || spec.probes >= 6,
          "spectrum.probes: " + std::to_string(spec.probes) + " is not 0 or at least 6");
  require(spec.tolerance >= 1e-13, "spectrum.tolerance: " + to_text(spec.tolerance) +
                                       " is below what rounding leaves of a product; take 1e-13 or more");
  for (const auto& [key, count] : {std::pair{"spectrum.count", spec.count}, {"spectrum.bottom", spec.bottom}})
    require(count <= size, std::string(key) + ": " + std::to_string(count) + " pairs, but there are " +
                               std::to_string(size) + " parameters");
  SharedProducts products(maps_of(run.experiment(), spec.matrix, run.theta()));
  if (console.rank != 0) {
    products.serve();
    return 0;
  }
  const auto directory = choose_directory(settings, "spectrum");
  require_inputs_survive(settings, directory);
  open_directory(directory);
  replace_file(directory / "run.ini", ini_text(settings));

  Spectrum result(settings, run, products, console);
  result.announce();
  result.solve();
  result.follow();
  const bool interrupted = console.interrupted && console.interrupted();
  result.write(directory, interrupted ? "interrupted" : result.complete() ? "done" : "failed", seconds_since(start));
  if (settings.pictures) postprocess("geometry.py", directory, console);
  result.summarise(console.out);
  console.out << "results in " << directory.string() << '\n';
  if (interrupted) return 130;
  if (!result.complete()) console.err << "thalweg: not all pairs met spectrum.tolerance; those that did are kept\n";
  return result.complete() ? 0 : 3;
}

}  // namespace thalweg
