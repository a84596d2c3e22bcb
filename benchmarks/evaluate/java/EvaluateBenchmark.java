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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hl7.elm.r1.VersionedIdentifier;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.DateTimeType;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Resource;
import org.opencds.cqf.cql.engine.execution.EvaluationResult;
import org.opencds.cqf.fhir.cql.Engines;
import org.opencds.cqf.fhir.cql.EvaluationSettings;
import org.opencds.cqf.fhir.cql.LibraryEngine;
import org.opencds.cqf.fhir.cql.engine.parameters.CqlFhirParametersConverter;
import org.opencds.cqf.fhir.cql.engine.retrieve.RetrieveSettings.SEARCH_FILTER_MODE;
import org.opencds.cqf.fhir.cql.engine.retrieve.RetrieveSettings.TERMINOLOGY_FILTER_MODE;
import org.opencds.cqf.fhir.cql.engine.terminology.TerminologySettings.VALUESET_EXPANSION_MODE;
import org.opencds.cqf.fhir.cql.engine.terminology.TerminologySettings.VALUESET_MEMBERSHIP_MODE;
import org.opencds.cqf.fhir.cql.engine.terminology.TerminologySettings.VALUESET_PRE_EXPANSION_MODE;
import org.opencds.cqf.fhir.utility.repository.InMemoryFhirRepository;
import org.opencds.cqf.fhir.utility.repository.ProxyRepository;

/**
 * Evaluates defines of a library for patients given as NDJSON Bundles, one thread, one repository a patient.
 *
 * <p>usage: EvaluateBenchmark KNOWLEDGE PATIENTS AS_OF LIBRARY VERSION DEFINES. DEFINES are joined by commas; the
 * first SHOWN are printed of each patient, {@code VALUE|VALUE...}, so that the caller can compare. Then each
 * number of seconds on a line of standard input makes it work that long and print {@code PATIENTS SECONDS}.
 */
public final class EvaluateBenchmark {
  private static final int SHOWN = 4;

  private final FhirContext fhir = FhirContext.forR4();
  private final EvaluationSettings settings = EvaluationSettings.getDefault();
  private final CqlFhirParametersConverter converter;
  private final IRepository knowledge;
  private final Parameters parameters;
  private final VersionedIdentifier library;
  private final List<String> defines;

  private EvaluateBenchmark(Path folder, String asOf, VersionedIdentifier library, List<String> defines)
      throws Exception {
    fhir.setValidationSupport(new DefaultProfileValidationSupport(fhir));
    // The compiled library and the expansions are kept from patient to patient.
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
    this.library = library;
    this.defines = defines;
  }

  public static void main(String[] args) throws Exception {
    VersionedIdentifier library = new VersionedIdentifier().withId(args[3]).withVersion(args[4]);
    EvaluateBenchmark benchmark =
        new EvaluateBenchmark(Path.of(args[0]), args[2], library, Arrays.asList(args[5].split(",")));
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
  private EvaluationResult evaluate(byte[] json) {
    Bundle bundle = fhir.newJsonParser().parseResource(Bundle.class, new String(json, StandardCharsets.UTF_8));
    Resource patient = bundle.getEntryFirstRep().getResource();
    IRepository data = new InMemoryFhirRepository(fhir, bundle);
    LibraryEngine engine = new LibraryEngine(new ProxyRepository(data, knowledge, knowledge), settings);
    Set<String> wanted = new LinkedHashSet<>(defines);
    String subject = "Patient/" + patient.getIdElement().getIdPart();
    EvaluationResult result =
        engine.getEvaluationResult(library, subject, parameters, null, null, wanted, converter, null, null);
    for (String define : defines) {
      result.get(define).getValue();
    }
    return result;
  }

  private String shown(EvaluationResult result) {
    return defines.stream()
        .limit(SHOWN)
        .map(define -> String.valueOf(result.get(define).getValue()))
        .collect(Collectors.joining("|"));
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
