import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.repository.IRepository;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kotlin.Pair;
import org.hl7.elm.r1.VersionedIdentifier;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.DateTimeType;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Resource;
import org.opencds.cqf.cql.engine.execution.CqlEngine;
import org.opencds.cqf.cql.engine.execution.EvaluationParams;
import org.opencds.cqf.cql.engine.execution.EvaluationResult;
import org.opencds.cqf.cql.engine.execution.EvaluationResults;
import org.opencds.cqf.cql.engine.runtime.Tuple;
import org.opencds.cqf.fhir.cql.Engines;
import org.opencds.cqf.fhir.cql.EvaluationSettings;
import org.opencds.cqf.fhir.cql.engine.parameters.CqlFhirParametersConverter;
import org.opencds.cqf.fhir.cql.engine.retrieve.RetrieveSettings.SEARCH_FILTER_MODE;
import org.opencds.cqf.fhir.cql.engine.retrieve.RetrieveSettings.TERMINOLOGY_FILTER_MODE;
import org.opencds.cqf.fhir.cql.engine.terminology.TerminologySettings.VALUESET_EXPANSION_MODE;
import org.opencds.cqf.fhir.cql.engine.terminology.TerminologySettings.VALUESET_MEMBERSHIP_MODE;
import org.opencds.cqf.fhir.cql.engine.terminology.TerminologySettings.VALUESET_PRE_EXPANSION_MODE;
import org.opencds.cqf.fhir.utility.repository.InMemoryFhirRepository;
import org.opencds.cqf.fhir.utility.repository.ProxyRepository;

/**
 * Evaluates defines of libraries for patients given as NDJSON Bundles, one thread, one repository a patient; all
 * libraries in one evaluation, so that what they share is computed once.
 *
 * <p>usage: EvaluateBenchmark KNOWLEDGE PATIENTS AS_OF NAME|VERSION=SHOWN;SILENT... SHOWN and SILENT are defines joined
 * by commas. Of each patient the values of those that are shown are printed, {@code VALUE|VALUE...} a library, the
 * libraries apart by tabs, so that the caller can compare. Then each number of seconds on a line of standard input
 * makes it work that long and print {@code PATIENTS SECONDS}.
 */
public final class EvaluateBenchmark {
  /** A library and its defines. */
  private record Asked(VersionedIdentifier library, List<String> shown, List<String> silent) {
    static Asked of(String argument) {
      String[] parts = argument.split("[|=;]", -1);
      VersionedIdentifier library = new VersionedIdentifier().withId(parts[0]).withVersion(parts[1]);
      return new Asked(library, split(parts[2]), split(parts[3]));
    }

    private static List<String> split(String names) {
      return names.isEmpty() ? List.of() : Arrays.asList(names.split(","));
    }

    List<String> defines() {
      return Stream.concat(shown.stream(), silent.stream()).toList();
    }
  }

  private final FhirContext fhir = FhirContext.forR4();
  private final EvaluationSettings settings = EvaluationSettings.getDefault();
  private final CqlFhirParametersConverter converter;
  private final IRepository knowledge;
  private final Parameters parameters;
  private final List<Asked> asked;

  private EvaluateBenchmark(Path folder, String asOf, List<Asked> asked) throws Exception {
    fhir.setValidationSupport(new DefaultProfileValidationSupport(fhir));
    // The compiled libraries and the expansions are kept from patient to patient.
    settings.setLibraryCache(new ConcurrentHashMap<>());
    settings.setValueSetCache(new ConcurrentHashMap<>());
    // Of the ways that work in memory, the fastest measured: value sets come with their expansion.
    settings.getRetrieveSettings()
        .setSearchParameterMode(SEARCH_FILTER_MODE.FILTER_IN_MEMORY)
        .setTerminologyParameterMode(TERMINOLOGY_FILTER_MODE.FILTER_IN_MEMORY);
    settings.getTerminologySettings()
        .setValuesetPreExpansionMode(VALUESET_PRE_EXPANSION_MODE.USE_IF_PRESENT)
        .setValuesetExpansionMode(VALUESET_EXPANSION_MODE.PERFORM_NAIVE_EXPANSION)
        .setValuesetMembershipMode(VALUESET_MEMBERSHIP_MODE.USE_EXPANSION);
    this.converter = Engines.getCqlFhirParametersConverter(fhir);
    this.knowledge = new InMemoryFhirRepository(fhir, definitions(folder));
    this.parameters = new Parameters();
    parameters.addParameter().setName("AsOf").setValue(new DateTimeType(asOf));
    this.asked = asked;
  }

  public static void main(String[] args) throws Exception {
    List<Asked> asked = Arrays.stream(args).skip(3).map(Asked::of).toList();
    EvaluateBenchmark benchmark = new EvaluateBenchmark(Path.of(args[0]), args[2], asked);
    List<byte[]> patients = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(args[1]))) {
      patients.add(line.getBytes(StandardCharsets.UTF_8));
    }
    for (byte[] patient : patients) {
      System.out.println(benchmark.shown(benchmark.evaluate(patient)));
    }
    BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String order = orders.readLine(); order != null; order = orders.readLine()) {
      long start = System.nanoTime();
      int done = benchmark.runFor(patients, Double.parseDouble(order));
      System.out.println(done + " " + (System.nanoTime() - start) / 1e9);
    }
    System.exit(0);
  }

  private int runFor(List<byte[]> patients, double seconds) {
    long end = System.nanoTime() + (long) (seconds * 1e9);
    int done = 0;
    while (System.nanoTime() < end) {
      evaluate(patients.get(done % patients.size()));
      done++;
    }
    return done;
  }

  /** From JSON to the values of the defines. */
  private EvaluationResults evaluate(byte[] json) {
    Bundle bundle = fhir.newJsonParser().parseResource(Bundle.class, new String(json, StandardCharsets.UTF_8));
    Resource patient = bundle.getEntryFirstRep().getResource();
    IRepository data = new InMemoryFhirRepository(fhir, bundle);
    CqlEngine engine = Engines.forRepository(new ProxyRepository(data, knowledge, knowledge), settings);
    EvaluationParams.Builder wanted = new EvaluationParams.Builder();
    wanted.setContextParameter(new Pair<>("Patient", patient.getIdElement().getIdPart()));
    wanted.setParameters(converter.toCqlParameters(parameters));
    for (Asked each : asked) {
      EvaluationParams.LibraryParams.Builder defines = new EvaluationParams.LibraryParams.Builder();
      defines.expressions(each.defines());
      wanted.library(each.library(), defines.build());
    }
    EvaluationResults results = engine.evaluate(wanted.build());
    for (RuntimeException failure : results.getExceptions().values()) {
      throw failure;
    }
    for (Asked each : asked) {
      EvaluationResult result = results.getResultFor(each.library());
      for (String define : each.defines()) {
        result.get(define).getValue();
      }
    }
    return results;
  }

  private String shown(EvaluationResults results) {
    return asked.stream()
        .map(each -> shown(each, results.getResultFor(each.library())))
        .collect(Collectors.joining("\t"));
  }

  private static String shown(Asked asked, EvaluationResult result) {
    return asked.shown().stream()
        .map(define -> text(result.get(define).getValue()))
        .collect(Collectors.joining("|"));
  }

  /** A value on one line: the elements of a list and of a tuple in brackets, those of a tuple by name. */
  private static String text(Object value) {
    if (value instanceof Tuple tuple) {
      return text(new TreeMap<>(tuple.getElements()).values());
    }
    if (value instanceof Iterable<?> values) {
      List<String> texts = new ArrayList<>();
      values.forEach(each -> texts.add(text(each)));
      return texts.toString();
    }
    return String.valueOf(value);
  }

  private Bundle definitions(Path folder) throws Exception {
    Bundle bundle = new Bundle();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(f -> f.getFileName().toString().matches("(Library|ValueSet|CodeSystem)-.*")).sorted().toList()) {
        bundle.addEntry().setResource((Resource) fhir.newJsonParser().parseResource(Files.readString(file)));
      }
    }
    return bundle;
  }
}
