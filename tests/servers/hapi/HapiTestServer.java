import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.provider.ValueSetOperationProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.opencds.cqf.fhir.cql.EvaluationSettings;
import org.opencds.cqf.fhir.cr.hapi.config.r4.ApplyOperationConfig;
import org.opencds.cqf.fhir.cr.hapi.config.r4.CqlOperationConfig;
import org.opencds.cqf.fhir.cr.hapi.config.r4.CrR4Config;
import org.opencds.cqf.fhir.cr.hapi.config.r4.EvaluateOperationConfig;
import org.opencds.cqf.fhir.cr.measure.CareGapsProperties;
import org.opencds.cqf.fhir.cr.measure.MeasureEvaluationOptions;
import org.opencds.cqf.fhir.utility.client.TerminologyServerClientSettings;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/**
 * A throw-away HAPI FHIR JPA R4 server with Clinical Reasoning, on H2 in memory.
 *
 * <p>usage: HapiTestServer PORT (0 picks a free one). Prints "ready URL" on standard output when it
 * accepts requests, on 127.0.0.1 only. It stops when standard input ends: however the program that started
 * it dies, no server stays behind.
 */
public final class HapiTestServer {

  @Configuration
  @Import({
    SubscriptionChannelConfig.class, ThreadPoolFactoryConfig.class, JpaR4Config.class, HapiJpaConfig.class,
    JpaBatch2Config.class, Batch2JobsConfig.class,
    CrR4Config.class, ApplyOperationConfig.class, EvaluateOperationConfig.class, CqlOperationConfig.class
  })
  static class Config {
    @Bean JpaStorageSettings storageSettings() {
      JpaStorageSettings settings = new JpaStorageSettings();
      settings.setAllowExternalReferences(true);
      settings.setAllowMultipleDelete(true);
      settings.setReuseCachedSearchResultsForMillis(null); // a search sees what was written just before
      return settings;
    }

    @Bean PartitionSettings partitionSettings() { return new PartitionSettings(); }

    @Bean SubscriptionSettings subscriptionSettings() { return new SubscriptionSettings(); }

    @Bean DataSource dataSource() {
      BasicDataSource source = new BasicDataSource();
      source.setUrl("jdbc:h2:mem:fhir;DB_CLOSE_DELAY=-1");
      source.setUsername("sa");
      source.setPassword("");
      source.setMaxTotal(60); // a transaction takes more than one: twenty at once must not starve each other
      return source;
    }

    @Bean @Primary LocalContainerEntityManagerFactoryBean entityManagerFactory(
        DataSource source, ConfigurableListableBeanFactory beans, FhirContext fhir, JpaStorageSettings settings) {
      LocalContainerEntityManagerFactoryBean factory =
          HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, fhir, settings);
      factory.setPersistenceUnitName("HAPI_PU");
      factory.setDataSource(source);
      Properties hibernate = new Properties();
      hibernate.put("hibernate.dialect", HapiFhirH2Dialect.class.getName());
      hibernate.put("hibernate.hbm2ddl.auto", "update");
      hibernate.put("hibernate.search.enabled", "false");
      factory.setJpaProperties(hibernate);
      return factory;
    }

    @Bean @Primary JpaTransactionManager transactionManager(EntityManagerFactory factory) {
      return new JpaTransactionManager(factory);
    }

    @Bean EvaluationSettings evaluationSettings() { return EvaluationSettings.getDefault(); }

    @Bean TerminologyServerClientSettings terminologyServerClientSettings() {
      return TerminologyServerClientSettings.getDefault();
    }

    @Bean CareGapsProperties careGapsProperties() { return new CareGapsProperties(); }

    @Bean MeasureEvaluationOptions measureEvaluationOptions() { return MeasureEvaluationOptions.defaultOptions(); }

    @Bean RestfulServer restfulServer(
        FhirContext fhir, ResourceProviderFactory resources, JpaSystemProvider<?, ?> system, IFhirSystemDao<?, ?> dao,
        JpaStorageSettings settings, ISearchParamRegistry parameters, IValidationSupport validation,
        DatabaseBackedPagingProvider paging, ValueSetOperationProvider valueSets) {
      RestfulServer server = new RestfulServer(fhir);
      server.registerProviders(resources.createProviders());
      server.registerProvider(system);
      server.registerProvider(valueSets);
      server.setDefaultResponseEncoding(EncodingEnum.JSON);
      server.setPagingProvider(paging);
      server.setServerConformanceProvider(
          new JpaCapabilityStatementProvider(server, dao, settings, parameters, validation));
      return server;
    }
  }

  public static void main(String[] args) throws Exception {
    AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
    context.setAllowBeanDefinitionOverriding(true);
    context.register(Config.class);
    context.refresh();

    Server jetty = new Server();
    ServerConnector connector = new ServerConnector(jetty);
    connector.setHost("127.0.0.1");
    connector.setPort(Integer.parseInt(args[0]));
    jetty.addConnector(connector);
    ServletContextHandler handler = new ServletContextHandler();
    handler.addServlet(new ServletHolder(context.getBean(RestfulServer.class)), "/fhir/*");
    jetty.setHandler(handler);
    jetty.start();
    System.out.println("ready http://127.0.0.1:" + connector.getLocalPort() + "/fhir");
    while (System.in.read() >= 0) {
      continue; // nothing is said there; only its end matters
    }
    System.exit(0);
  }
}
